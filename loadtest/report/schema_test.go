package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"

	"github.com/seadog/seadog/loadtest"
	"github.com/seadog/seadog/loadtest/report"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestTheSchemaIsThatOfTheReport(t *testing.T) {
	t.Parallel()
	reflector := &jsonschema.Reflector{DoNotReference: true, Anonymous: true, AllowAdditionalProperties: true}
	s := reflector.Reflect(&loadtest.Report{})
	s.Title, s.Description = "Report of a load test", "Durations are nanoseconds (…_ns); times count from the start of the run; values are in base units."
	want, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile("assets/report.schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want), string(report.Schema)); diff != "" {
		t.Errorf("the schema is not that of the report; run go test ./loadtest/report -update:\n%s", diff)
	}
}

func TestReportsKeepToTheSchema(t *testing.T) {
	t.Parallel()
	var schema openapi3.Schema // the dialect differs from JSON Schema in nothing that is used here
	if err := json.Unmarshal(bytes.Replace(report.Schema, []byte(`"$schema": "https://json-schema.org/draft/2020-12/schema",`), nil, 1), &schema); err != nil {
		t.Fatal(err)
	}
	valid := func(r *loadtest.Report) error {
		var b bytes.Buffer
		if err := report.JSON(&b, r); err != nil {
			t.Fatal(err)
		}
		var value any
		if err := json.Unmarshal(b.Bytes(), &value); err != nil {
			t.Fatal(err)
		}
		return schema.VisitJSON(value)
	}
	for name, r := range map[string]*loadtest.Report{"everything": sample(), "nothing": {}, "traffic without any": {Traffic: make([]loadtest.TrafficReport, 1)}} {
		if err := valid(r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := schema.VisitJSON(map[string]any{"schema_version": "one"}); err == nil {
		t.Error("a report whose version is a text is valid")
	}
}
