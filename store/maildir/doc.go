// Package maildir keeps mail in Maildir++ directories, durably.
//
// A delivery is a file written and synced while no reader can see it, then linked into new/ (cur/ if it has flags) under a
// unique name, and that directory synced: when Deliver returns nil the message survives a power cut, and at no moment was
// anything half of it visible. Nothing is ever renamed over a name. Directories that had to be made, or that somebody else
// made lately, are synced before the message counts. A file or directory whose sync failed is not asked again: the delivery
// failed.
//
// On the disk lines end in LF; names carry ,S= and ,W= (octets as they lie there, and with CRLF line ends); files are 0600,
// directories 0700. Folders are .Name.Sub with names in modified UTF-7 (RFC 3501 §5.1.3), a maildirfolder mark and a line in
// subscriptions, as Dovecot has it. Every path is taken with os.Root, one directory at a time and through no symlink; what is
// kept open between deliveries was opened so, and is used only while its path still leads to it.
//
// Where an account has an owner, everything in its mailbox is done with the owner's rights (package rights), and what is made
// is the owner's. A home, and the directory that a path of its own lies in, are opened anew each time they are needed, are
// never made, and are never an answer: one that is not there may be a file system that is not mounted. What is kept open below
// was opened with the same owner's rights, and is used only while these still lead there. Mailboxes in homes are swept if
// mail has come for them since the start, and not listed.
//
// What a mailbox with a quota holds is kept count of in its maildirsize, as Maildir++ and Dovecot do: the limits, what was
// there when it was counted (octets as they lie on the disk, S=), and a line appended in one write for each message that
// came or went. It is counted anew if the limits are others, if it is longer than 5120 octets, cannot be read, or is no
// file of its own, and if it leaves no room though it has changed since it was counted or that was 15 minutes ago. The new
// file is written in tmp/ and renamed. Deliveries of this store wait while it counts, and what others do meanwhile is seen by
// the times of the directories, whereupon it counts again. The rest is the format's, and so Dovecot's: a crash between a
// message and its line, or a recount by one program in that moment of another's, leaves the count wrong by that message until
// the next recount. The line is not synced, and its failure never that of a delivery: the file is removed, so that the next
// who asks counts anew.
//
// Keywords have letters from a to z, of which each folder's dovecot-keywords tells the meaning; it is changed as Dovecot does. A
// folder has 26 of them, and more are left out.
//
// Not done: file systems without hard links. A message with bare LFs is kept, but nobody can tell these from line ends when it is read.
//
// # What was tried
//
// 10 KB to 100 mailboxes at random, 2 cores, ext4, deliveries/s with 1 / 8 / 32 / 100 at once:
//
//	os.Root for each step, fsync, link, fsync, unlink   1,880 / 5,380 / 5,740 / 5,600
//	kept directories, fdatasync, link, fsync, unlink    1,920 / 7,000 / 8,200 / 8,360
//	the same with GOMAXPROCS=16                         2,210 / 7,230 / 11,530 / 13,000
//	renameat2(RENAME_NOREPLACE) for link and unlink     2,250 / 7,000 / 11,300 / 13,300
//	O_TMPFILE and linkat: what is done                  2,930 / 8,050 / 12,360 / 14,500
//
// A sync that blocks holds one of Go's processors until the runtime notices, so GOMAXPROCS well above the number of cores
// gives most from 32 deliveries on, and cuts the slowest 1 % from 95 ms to 32 ms at 100. A file without a name (O_TMPFILE)
// saves a name in tmp/ and its removal, and a crash leaves nothing to sweep. Where the file system has none, tmp/ is used.
//
// Syncs are as many at once as there are deliveries, since what is concurrent shares the disk's journal commit: a single
// committing goroutine gave half, a limit of n syncs at once was worse the smaller n, waiting in rounds gave a third more at
// 8 on a slow disk (2 ms a flush) and a third less at 32 and 100, sharing the sync of one directory nothing. fdatasync
// against fsync, sync_file_range first, or unlinking after the return were within 5 %.
//
// One message to ten mailboxes: ten goroutines 6,500 / 11,100 / 15,000 with 1 / 8 / 32 messages at once, three goroutines
// 4,300 / 10,250 / 14,500, all files written and then synced in turn 3,500 / 9,200 / 13,000; on the slow disk ten goroutines
// are more than twice as fast as four. A mailbox that is not kept open (Config.Handles) is walked to without following
// symlinks: 4,660 at 8 where kept ones take 6,640.
//
// To take an owner's rights and give them back costs some 20 µs of processor time, most of it for the goroutine that has a
// thread for itself. 10 KB to 100 homes, without owners and with, three runs each on a disk that others used, too: 620–2,010
// and 980–2,220 deliveries/s one at a time, 8,340–10,510 and 8,480–10,880 with 32 at once: no difference beside the syncs.
//
// The line in maildirsize, blocks of 100 to 800 deliveries in turn with and without a quota, medians of 25 on a busy machine,
// 1 / 8 / 32 at once: 929 / 4,769 / 10,548 with it and 960 / 5,096 / 11,282 without, in a second run 1,607 / 4,348 / 6,648 and
// 1,641 / 4,309 / 6,723. Having the kernel write it out at once (sync_file_range) was slower. Usage takes 2.9 µs with 100,000
// messages and 2.7 µs with one, counting them anew 160 ms (in memory).
package maildir
