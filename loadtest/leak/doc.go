// Package leak says whether a series of a service grows for ever: its memory,
// its goroutines, its descriptors.
//
// A slope alone says little: warm-up looks like a leak to every test, and one
// goroutine more at the end is "significant" in a series that is flat otherwise. The
// rule, with the false alarms that simulations gave it (0 to 2 %):
//
//  1. The first 60 s, or the first quarter if that is more, are left out.
//  2. What remains is cut into 20 windows of equal length. Of bytes the least
//     of each is taken, because garbage collection makes a sawtooth of them, of
//     counts the median.
//  3. There is a trend if a Mann-Kendall test (with ties, one-sided) has
//     p < 0.01.
//  4. It is too steep if the lower end of the 95 % interval of the Theil-Sen
//     slope (Sen 1968) is above the tolerance.
//  5. A leak is both. A trend alone is reported.
//
// With every answer comes the smallest leak that this run would have found nine
// times out of ten, see [Detectable]: "no leak" of a short run means little, and
// should say so. A run in which less than two minutes remain is inconclusive,
// unless a leak was found.
//
// Everything is a pure function of the points.
package leak
