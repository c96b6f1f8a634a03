package web

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
	"github.com/seadog/seadog/deployer/httpd"
)

// casebook is the list of incidents.
type casebook struct {
	Missing   bool // nobody writes incidents down
	Pool      string
	Pools     []string
	Incidents []Incident `json:"-"`
	Newest    string
	Full      bool // there may be more
}

const incidentsShown = 100

// incidents answers GET /incidents.
func (u *UI) incidents(v *visit) error {
	t, err := parseTopic(v.c.OriginalURL())
	if err != nil {
		return err
	}
	seen, err := u.casebookView(v.Context(), t)
	if err != nil {
		return err
	}
	return u.show(v, seen, frame{Title: "Incidents", Area: "incidents"})
}

func (u *UI) casebookView(ctx context.Context, t topic) (view, error) {
	c := casebook{Missing: u.cfg.Incidents == nil, Pool: t.query.Get("pool")}
	if !deployer.ValidName(c.Pool) {
		c.Pool = ""
	}
	for _, p := range u.pools() {
		c.Pools = append(c.Pools, p.Name)
	}
	if u.cfg.Incidents != nil {
		var err error
		if c.Incidents, err = u.cfg.Incidents.List(ctx, c.Pool, incidentsShown); err != nil {
			return view{}, err
		}
		c.Full = len(c.Incidents) == incidentsShown
	}
	if len(c.Incidents) > 0 {
		c.Newest = c.Incidents[0].ID
	}
	return view{page: "incidents", topic: "/incidents" + query("pool", c.Pool), data: c, parts: []string{"fresh"}}, nil
}

// incidentPage is one incident.
type incidentPage struct {
	Incident
	Dump   *Dump  // nil: there is none
	NoDump string // why it is not shown
}

// largestDump is what is read to show a page. Larger ones are for the command line.
const largestDump = 8 << 20

// incident answers GET /incidents/{id}; the id may be that of a request.
func (u *UI) incident(v *visit) error {
	found, err := u.findIncident(v)
	if err != nil {
		return err
	}
	if found.ID != v.c.Params("id") {
		return v.redirect("/incidents/" + found.ID)
	}
	page := incidentPage{Incident: found}
	switch {
	case found.DumpBytes > largestDump:
		page.NoDump = fmt.Sprintf("The dump has %s, too much to be grouped here: download it, or read it with seadog dump.", bytesText(found.DumpBytes))
	case found.DumpBytes > 0:
		dump, err := u.cfg.Incidents.Dump(v.Context(), found.ID)
		if err != nil {
			page.NoDump = "The dump cannot be read."
			u.cfg.Log.Warn("a dump cannot be shown", deployer.KeyIncident, found.ID, deployer.KeyError, err)
			break
		}
		page.Dump = &dump
	}
	return u.send(v, "incident", frame{Title: "Incident " + found.ID, Area: "incidents", Data: page})
}

func (u *UI) findIncident(v *visit) (Incident, error) {
	if u.cfg.Incidents == nil {
		return Incident{}, deployer.Errorf(deployer.CodeNotFound, "nobody writes incidents down here")
	}
	return u.cfg.Incidents.Load(v.Context(), strings.Clone(v.c.Params("id")))
}

// rawDump answers GET /incidents/{id}/dump.
func (u *UI) rawDump(v *visit) error {
	found, err := u.findIncident(v)
	if err != nil {
		return err
	}
	raw, err := u.cfg.Incidents.Raw(v.Context(), found.ID)
	if err != nil {
		return err
	}
	v.c.Set(fiber.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="%s.dump.txt"`, found.ID))
	err = v.Stream("text/plain; charset=utf-8", func(st *httpd.Stream) error { return pour(st, raw) })
	if err != nil {
		_ = raw.Close()
	}
	return err
}

// pour sends a file and closes it.
func pour(st *httpd.Stream, from io.ReadCloser) error {
	defer from.Close()
	buf := make([]byte, 64<<10)
	for st.Context().Err() == nil {
		n, err := from.Read(buf)
		if sent := st.Send(buf[:n]); sent != nil {
			return sent
		}
		if err == io.EOF { //nolint:errorlint // a file says so itself
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the file: %w", err)
		}
	}
	return nil
}
