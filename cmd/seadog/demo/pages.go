package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var titleRE = regexp.MustCompile(`<title>([^<]*)</title>`)

// pages signs in as a person would and looks at the pages of what has just happened.
func (d *demo) pages(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	browser := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	signIn := url.Values{"token": {d.token}}
	if _, err := d.page(ctx, browser, http.MethodPost, "/sign-in", strings.NewReader(signIn.Encode())); err != nil {
		return err
	}
	for _, path := range []string{"/", "/projects/" + d.project, "/deployments/3", "/deliveries", "/workers", "/incidents", "/settings"} {
		title, err := d.page(ctx, browser, http.MethodGet, path, nil)
		if err != nil {
			return err
		}
		d.say("%-40s %s", d.service+path, title)
	}
	return nil
}

// page returns the title of a page that answers 200.
func (d *demo) page(ctx context.Context, browser *http.Client, method, path string, form io.Reader) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, d.service+path, form)
	if err != nil {
		return "", err
	}
	req.Header.Set("Origin", d.service)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := browser.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", err
	}
	title := titleRE.FindSubmatch(text)
	if res.StatusCode != http.StatusOK || title == nil {
		return "", fmt.Errorf("%s answered %s", path, res.Status)
	}
	return string(title[1]), nil
}
