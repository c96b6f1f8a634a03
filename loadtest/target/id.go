package target

import (
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
)

// ID returns the id of request seq of a traffic: a UUID of version 5 whose name
// is the three of them, so that whoever knows a sample knows its id.
func ID(run, traffic string, seq uint64) string {
	var name [128]byte
	b := append(name[:0], run...)
	b = append(append(b, 0), traffic...)
	b = binary.BigEndian.AppendUint64(append(b, 0), seq)
	sum := sha1.Sum(b)
	sum[6] = sum[6]&0x0f | 0x50 // version
	sum[8] = sum[8]&0x3f | 0x80 // variant
	var id [36]byte
	hex.Encode(id[0:8], sum[0:4])
	hex.Encode(id[9:13], sum[4:6])
	hex.Encode(id[14:18], sum[6:8])
	hex.Encode(id[19:23], sum[8:10])
	hex.Encode(id[24:36], sum[10:16])
	id[8], id[13], id[18], id[23] = '-', '-', '-', '-'
	return string(id[:])
}
