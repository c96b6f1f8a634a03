package report

import _ "embed"

// Schema is the JSON Schema of report.json. A test holds it against
// [loadtest.Report]; `go test ./loadtest/report -update` writes it anew.
//
//go:embed assets/report.schema.json
var Schema []byte
