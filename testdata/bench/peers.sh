#!/usr/bin/env bash
# Dovecot, Postfix and lmtpd side by side, as a table in Markdown. Run it as root on Debian 12 with Go and the packages
# dovecot-core, dovecot-lmtpd and postfix, on a machine that has nothing else to do:
#
#	bash testdata/bench/peers.sh
#
# Every server is an instance of its own, on unix sockets, in a new directory for every measurement, and is durable: what it
# has answered for survives a power cut. They take turns, case by case, so that a slow minute of the machine is everybody's;
# each number is the median of all runs. "lmtpd bench", of this tree, makes the load, on the same processors.
#
#   CASES     sessions:recipients:octets, several (1:1:10240 8:1:10240 32:1:10240 100:1:10240)
#   RUNS      of each case (3)
#   DURATION  of each measurement in seconds (3)
#   SERVERS   of dovecot postfix maildir sqlite, the last two being lmtpd's stores (all)
#   BASE      where the mail is written; it says which disk is measured (a new directory in $TMPDIR, which is removed in the end)
#   LMTPD     the program (built from this tree)
#
# Postfix's rate is that of messages in mailboxes: from the first connection until its queue is empty. Its latency is that of
# the queue, whose file is synced before the reply; virtual(8) does not sync the directory it delivers into.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
read -ra cases <<<"${CASES:-1:1:10240 8:1:10240 32:1:10240 100:1:10240}"
read -ra servers <<<"${SERVERS:-dovecot postfix maildir sqlite}"
runs=${RUNS:-3} duration=${DURATION:-3}
mailboxes=100
owner=2525 # of the mail; no account needs it
pid='' # of the server that is running
base=''
made='' # the base, if it is to be removed

die() {
	printf 'peers.sh: %s\n' "$*" >&2
	exit 1
}

finish() {
	stop_server
	if [[ -n $made ]]; then rm -rf "$made"; fi
}

# within SECONDS COMMAND…: repeats the command until it succeeds.
within() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		((SECONDS < deadline)) || return 1
		sleep 0.02
	done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

stop_server() {
	[[ -n $pid ]] || return 0
	local ended=$pid
	pid=''
	kill -TERM "$ended" 2>/dev/null || true
	within 60 gone "$ended" || kill -KILL "$ended" 2>/dev/null || true
	wait "$ended" 2>/dev/null || true
}

# up SOCKET: whether somebody may connect; no use in waiting for a server that has ended.
up() {
	kill -0 "$pid" 2>/dev/null || die "the server ended: $(tail -n 5 "$dir/log" "$dir/out" 2>/dev/null)"
	[[ -S $1 ]]
}

# The servers. Each start_ function starts one in the directory $dir, and sets pid and url.

start_dovecot() {
	cat >"$dir/dovecot.conf" <<-CONF
		base_dir = $dir/base
		state_dir = $dir/state
		log_path = $dir/log
		protocols = lmtp
		ssl = no
		mail_location = maildir:$dir/mail/%n
		mail_fsync = always
		mail_uid = $owner
		mail_gid = $owner
		first_valid_uid = 1
		default_vsz_limit = 0
		lmtp_user_concurrency_limit = 0
		mail_max_lock_timeout = 60s
		namespace inbox {
		  inbox = yes
		}
		passdb {
		  driver = static
		  args = nopassword=y
		}
		userdb {
		  driver = static
		  args = uid=$owner gid=$owner home=$dir/home/%n allow_all_users=yes
		}
		service auth {
		  client_limit = 4096
		}
		service anvil {
		  client_limit = 4096
		}
		service lmtp {
		  process_min_avail = 8
		  process_limit = 256
		  client_limit = 1
		  service_count = 0
		  unix_listener $dir/lmtp {
		    mode = 0600
		  }
		}
		protocol lmtp {
		  postmaster_address = postmaster@example.test
		}
	CONF
	dovecot -c "$dir/dovecot.conf" -F >"$dir/out" 2>&1 &
	pid=$! url=lmtp+unix:$dir/lmtp
	within 30 up "$dir/lmtp" || die 'Dovecot does not listen'
}

start_postfix() {
	local n service
	mkdir "$dir/etc" "$dir/queue" "$dir/data"
	chown postfix "$dir/data"
	cat >"$dir/etc/main.cf" <<-CONF
		compatibility_level = 3.6
		queue_directory = $dir/queue
		data_directory = $dir/data
		mail_owner = postfix
		setgid_group = postdrop
		maillog_file = $dir/log
		maillog_file_prefixes = $dir
		myhostname = mx.example.test
		mydestination =
		mynetworks = 127.0.0.0/8
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		alias_maps =
		local_recipient_maps =
		virtual_mailbox_domains = example.test
		virtual_mailbox_base = $dir/mail
		virtual_mailbox_maps = texthash:$dir/etc/mailboxes
		virtual_uid_maps = static:$owner
		virtual_gid_maps = static:$owner
		virtual_mailbox_limit = 0
		virtual_minimum_uid = 1
		virtual_destination_concurrency_limit = 20
		virtual_destination_recipient_limit = 1
		initial_destination_concurrency = 10
		default_process_limit = 150
		qmgr_message_active_limit = 100000
		in_flow_delay = 0
		smtpd_peername_lookup = no
		smtpd_client_connection_count_limit = 0
		smtpd_relay_restrictions = permit_mynetworks, reject
		smtpd_recipient_restrictions = permit_mynetworks, reject
		message_size_limit = 52428800
	CONF
	for ((n = 1; n <= mailboxes; n++)); do
		printf 'u%d@example.test u%d/\n' "$n" "$n"
	done >"$dir/etc/mailboxes"
	{
		printf 'smtpd unix n - n - 150 smtpd\n'
		printf '%s unix n - n 60 1 pickup\n' pickup
		printf 'cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\npostlog unix-dgram n - n - 1 postlogd\n'
		for service in bounce defer trace; do printf '%s unix - - n - 0 bounce\n' "$service"; done
		for service in error retry; do printf '%s unix - - n - - error\n' "$service"; done
		printf 'rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\nvirtual unix - n n - - virtual\n'
		printf 'anvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\nflush unix n - n 1000? 0 flush\nshowq unix n - n - - showq\n'
	} >"$dir/etc/master.cf"
	postfix -c "$dir/etc" check >"$dir/out" 2>&1
	"$(postconf -c "$dir/etc" -h daemon_directory)/master" -c "$dir/etc" -s >>"$dir/out" 2>&1 &
	pid=$! url=smtp+unix:$dir/queue/public/smtpd
	within 30 up "$dir/queue/public/smtpd" || die 'Postfix does not listen'
}

# start_lmtpd STORE
start_lmtpd() {
	install -d -o "$owner" -g "$owner" "$dir/run"
	setpriv --reuid "$owner" --regid "$owner" --clear-groups "$lmtpd" serve --lmtp "unix:$dir/run/lmtp" --data "$dir/run/data" \
		--store "$1" --accounts any --domain example.test >"$dir/out" 2>&1 &
	pid=$! url=lmtp+unix:$dir/run/lmtp
	within 30 up "$dir/run/lmtp" || die 'lmtpd does not listen'
}

start_maildir() { start_lmtpd "maildir:$dir/mail/%n"; }
start_sqlite() { start_lmtpd "sqlite:$dir/mail/mail.db"; }

name_of() {
	case $1 in
	dovecot) echo 'Dovecot LMTP, maildir' ;;
	postfix) echo 'Postfix virtual, maildir' ;;
	maildir) echo 'lmtpd, maildir' ;;
	sqlite) echo 'lmtpd, SQLite' ;;
	*) die "there is no server $1" ;;
	esac
}

queue_is_empty() {
	[[ -z $(find "$dir"/queue/{incoming,active,deferred} -type f -print -quit) ]]
}

# settle waits until what the server has answered for is in the mailboxes.
settle() {
	[[ $1 != postfix ]] || within 600 queue_is_empty || die 'the queue does not become empty'
}

load() { "$lmtpd" bench --mailboxes "$mailboxes" --to u%d@example.test "$@" "$url"; }

# field NAME FILE: a number of the report.
field() { sed -n "s/^ *\"$1\": \([0-9.e+-]*\),\{0,1\}$/\1/p" "$2" | head -n 1; }

# check_mailboxes SERVER MESSAGES: that the copies which the server has answered for are there.
check_mailboxes() {
	[[ $1 != sqlite ]] || return 0
	local there
	there=$(find "$dir/mail" -path '*/new/*' -type f -printf . | wc -c)
	((there == $2)) || die "$(name_of "$1") has answered for $2 copies and has $there"
}

# measure RUN CASE SERVER: one measurement, whose results are put into files.
measure() {
	local sessions recipients octets began took report=$base/report result=$base/result.$2.$3
	IFS=: read -r sessions recipients octets <<<"$2"
	dir=$base/$1.$2.$3
	dir=${dir//:/-}
	mkdir "$dir"
	chmod 755 "$dir"
	install -d -o "$owner" -g "$owner" "$dir/mail" "$dir/home"
	"start_$3"
	load --sessions 1 --messages 1 --recipients "$mailboxes" >"$report" || die "$(name_of "$3"): $(cat "$report")" # makes the mailboxes
	settle "$3"
	began=${EPOCHREALTIME/./}
	load --sessions "$sessions" --recipients "$recipients" --size "$octets" --duration "${duration}s" --watch "$pid" --json >"$report" ||
		die "$(name_of "$3"): $(cat "$report")"
	settle "$3"
	took=$((${EPOCHREALTIME/./} - began))
	check_mailboxes "$3" $((mailboxes + $(field delivered "$report")))
	if [[ $3 == postfix ]]; then
		awk -v n="$(field messages "$report")" -v took="$took" 'BEGIN { print n * 1e6 / took }' >>"$result.rate"
	else
		field messages_per_second "$report" >>"$result.rate"
		awk -v cpu="$(field cpu "$report")" -v n="$(field messages "$report")" 'BEGIN { print cpu * 1000 / n }' >>"$result.cpu"
		awk -v octets="$(field memory "$report")" 'BEGIN { print octets / 1e6 }' >>"$result.memory"
	fi
	field p99 "$report" >>"$result.p99"
	stop_server
	# Files that are removed make it slow for minutes to create others (ext4); those that are empty take no room.
	find "$dir" -type f -size +0 -exec truncate -s 0 {} +
	sync -f "$base" # so that the next server does not pay for this one
	printf 'run %d, %s, %s: %.0f messages/s\n' "$1" "$2" "$3" "$(tail -n 1 "$result.rate")" >&2
}

# median FILE FORMAT
median() {
	if [[ ! -e $1 ]]; then
		echo '–'
		return
	fi
	sort -g "$1" | awk -v format="$2" '{ a[NR] = $1 } END { printf format, NR % 2 ? a[(NR + 1) / 2] : (a[NR / 2] + a[NR / 2 + 1]) / 2 }'
}

# row CASE WHAT UNIT FORMAT
row() {
	local server
	printf '| %s | %s |' "${1//:/ × }" "$3"
	for server in "${servers[@]}"; do printf ' %s |' "$(median "$base/result.$1.$server.$2" "$4")"; done
	printf '\n'
}

table() {
	local server case
	printf '| sessions × recipients × octets | |'
	for server in "${servers[@]}"; do printf ' %s |' "$(name_of "$server")"; done
	printf '\n|---|---|'
	printf -- '---|%.0s' "${servers[@]}"
	printf '\n'
	for case in "${cases[@]}"; do
		row "$case" rate messages/s %.0f
		row "$case" p99 'p99, ms' %.1f
		row "$case" cpu 'CPU for a message, ms' %.2f
		row "$case" memory 'memory, MB' %.0f
	done
}

((EUID == 0)) || die 'run this as root: the servers change their users'
for server in "${servers[@]}"; do
	name_of "$server" >/dev/null
	case $server in
	dovecot)
		command -v dovecot >/dev/null || die 'apt-get install dovecot-core dovecot-lmtpd'
		[[ $(dovecot --version) == 2.3.* ]] || die "this knows how to configure Dovecot 2.3, not $(dovecot --version)"
		;;
	postfix) command -v postfix >/dev/null || die 'apt-get install postfix' ;;
	esac
done
trap finish EXIT
trap 'exit 130' INT TERM
if [[ -n ${BASE:-} ]]; then
	base=$(mktemp -d "$BASE/bench.XXXXXX")
else
	base=$(mktemp -d)
	made=$base
fi
chmod 755 "$base"
lmtpd=${LMTPD:-$base/lmtpd}
[[ -n ${LMTPD:-} ]] || (cd "$here/../.." && go build -o "$lmtpd" ./cmd/lmtpd)
for ((run = 1; run <= runs; run++)); do
	for case in "${cases[@]}"; do
		for server in "${servers[@]}"; do measure "$run" "$case" "$server"; done
	done
done
table
