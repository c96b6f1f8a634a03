// Package report writes down what a run was: report.json, which everything else
// is made from, a self-contained report.html, JUnit XML for build servers, and
// lines for a terminal. It also reads reports back, and compares them.
//
// Reports of a directory are written into files beside their names and moved
// there, so that whoever reads one reads all of it. The package starts no goroutine.
package report
