package httpd

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/seadog/seadog/deployer"
)

const (
	standardPage = 50
	longestPage  = 500
)

// decode reads the JSON body of an API call into v. No body is an empty one.
func (s *Server) decode(x *exchange, v any) error {
	body, err := s.bodies.read(x.ctx, x.c.Context(), x.route.body)
	if err != nil {
		return err
	}
	defer body.free()
	if len(bytes.TrimSpace(body.bytes)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body.bytes))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return badJSON(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return deployer.Errorf(deployer.CodeInvalid, "the body has something after its JSON object")
	}
	return nil
}

// badJSON words what is wrong with a body without repeating it.
func badJSON(err error) error {
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) && mistyped.Field != "" {
		return deployer.Errorf(deployer.CodeInvalid, "field %q cannot be a JSON %s", shorten(mistyped.Field, 40), shorten(mistyped.Value, 20)).
			WithHint("openapi.json says what it takes")
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return deployer.Errorf(deployer.CodeInvalid, "unknown field %s", shorten(name, 60)).
			WithHint("openapi.json names the fields")
	}
	return deployer.Errorf(deployer.CodeInvalid, "the body is not the JSON object that is expected").Because(err)
}

// query reads query parameters. The first one that is wrong is kept.
type query struct {
	x   *exchange
	err error
}

func (q *query) wrong(name, format string, args ...any) {
	if q.err == nil {
		q.err = deployer.Errorf(deployer.CodeInvalid, "parameter "+name+" "+format, args...)
	}
}

// text returns a parameter, cloned.
func (q *query) text(name string) string { return strings.Clone(q.x.c.Query(name)) }

func (q *query) project(name string) string {
	v := q.text(name)
	if v != "" && !deployer.ValidName(v) {
		q.wrong(name, "is not the name of a project")
	}
	return v
}

// number returns a whole number from 0 to most, standard if there is none.
func (q *query) number(name string, standard, most int64) int64 {
	v := q.text(name)
	if v == "" {
		return standard
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || n > most {
		q.wrong(name, "must be a whole number from 0 to %d", most)
	}
	return n
}

// limit returns how many things a page may hold.
func (q *query) limit() int {
	if n := q.number("limit", standardPage, longestPage); n > 0 {
		return int(n)
	}
	return standardPage
}

// oneOf returns values of an enumeration, separated by commas.
func oneOf[T ~string](q *query, name string, known []T) []T {
	v := q.text(name)
	if v == "" {
		return nil
	}
	var chosen []T
	for part := range strings.SplitSeq(v, ",") {
		value := T(strings.TrimSpace(part))
		if !slices.Contains(known, value) {
			q.wrong(name, "takes %v", known)
			return nil
		}
		chosen = append(chosen, value)
	}
	return chosen
}

// pathID returns the id in the path, which is that of a delivery or a deployment.
func (x *exchange) pathID() (int64, error) {
	id, err := strconv.ParseInt(x.c.Params("id"), 10, 64)
	if err != nil || id <= 0 {
		return 0, deployer.Errorf(deployer.CodeInvalid, "the id in the path must be a positive whole number")
	}
	if strings.HasPrefix(x.route.path, "/api/v1/deliveries/") {
		x.delivery = id
	} else {
		x.deployment = id
	}
	return id, nil
}

// project returns the project that the path names.
func (s *Server) project(x *exchange) (deployer.Project, error) {
	return s.desk.Configured(x.c.Params("project"))
}
