// Package disk fills a disk that was mounted for nothing else, and empties it again.
//
// What is filled is a filesystem of its own: the directory must be where it is
// mounted, it must not be mounted anywhere else, and it must not be the root's.
// A [Balloon] is one file in it, which takes all the room there is and whatever
// becomes free later, until it is deleted.
//
// Linux and root only: others may not take the blocks that a filesystem reserves
// for root, and a service that is root would still find room.
package disk
