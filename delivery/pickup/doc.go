// Package pickup is the way in for messages of this host while nobody answers: a directory into which every user may put
// messages, and the daemon that takes them out. What sendmail cannot hand over at once it leaves there, and nothing is lost
// while the daemon is down.
//
// The directory belongs to the daemon's user and has mode 03733: everybody may put a file into it, nobody else may list it or
// remove another's, and a file belongs to the directory's group, so that the daemon may read it with mode 0640. A file
// is one message:
//
//	lmtpd-drop 1 ENVELOPE CONTENT LF   the format, and the octets of the two that follow
//	the envelope, a JSON object LF
//	the content, with CRLF line ends
//
// It is written under a name that begins with a dot, synced, renamed, and the directory is synced; the daemon takes no
// notice of such names, until they are two days old and it removes them. Lengths that do not agree with the file's are a
// mistake, so nothing half is ever taken.
//
// Who has put a message there is who the file belongs to. Root and the daemon's own user may send under any address; anybody
// else is an account that has authenticated, on the same terms as on a socket. A message is tried until everybody it is for
// is answered. What is refused for good goes back to its sender, or to whose file it is where that address is not his; what is
// deferred is tried again, for five days. It leaves the directory after it was taken: if the host dies between the two, it is
// taken once more and arrives twice.
//
// Users may be hostile. What is no file with one name is removed unread, and what is no message is set aside in a
// directory of the daemon's own, so that nothing is looked at again and again. How much a user may write is for the file
// system to say.
package pickup
