package web

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

// sameOrigin returns an error if a request that changes something was caused by
// another site than ours. Browsers say which one in Sec-Fetch-Site, but only
// with TLS and on localhost; all of them say it in Origin. A request that says
// neither does not come from a browser, and has no business with forms.
func sameOrigin(c *fiber.Ctx) error {
	foreign := deployer.Errorf(deployer.CodeForbidden, "this form was not sent from a page of this service").
		WithHint("open the page here and send it again; a proxy in between has to keep the Host header")
	if site := c.Get("Sec-Fetch-Site"); site != "" {
		if site == "same-origin" {
			return nil
		}
		return foreign
	}
	origin, err := url.Parse(c.Get(fiber.HeaderOrigin))
	if err != nil || origin.Host == "" || !strings.EqualFold(origin.Host, string(c.Context().Host())) {
		return foreign
	}
	return nil
}

// local returns a path of ours that somebody may be sent to after signing in;
// "/" if what was asked for is none. Browsers take "//host" and "/\host" for
// another host.
func local(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") || len(next) > 500 {
		return "/"
	}
	return next
}
