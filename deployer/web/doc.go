// Package web is the web UI: pages for people, made on the server from the
// templates and assets that are embedded here, served beside the API by
// [httpd.Server].
//
// It owns what the pages say, sign-in and sessions, and live updates. It
// refuses to decide: what people ask for goes through [desk.Desk], under the
// same tokens and scopes as in the API. It knows no watchdog and no load
// tester; what it shows of them comes in through [Workers], [Incidents] and
// [Reports].
//
// # Scripts
//
// Every page works without script. With it, a page that can change opens one
// stream of server-sent events; the server looks once a second for all viewers
// of a page, renders its parts once, and sends those that changed; the browser
// changes the text and elements that differ, in place.
//
// The script is a module of our own, without any library. htmx 4 with its SSE
// extension would do the swapping, but is several times as large as all that is
// needed here, wants styles or evaluation that the content security policy
// forbids unless each is switched off, and replaces elements rather than
// changing them, which loses focus and selection and moves the page. Plots are
// SVG from the server, so uPlot has nothing to do either.
//
// # What a stranger cannot do
//
// Nothing is shown without a session but the sign-in page. Forms are taken only
// from our own pages (SameSite cookie, Sec-Fetch-Site or Origin, and a token in
// the form). Everything that was written by others, from a commit message to a
// log line, is escaped by html/template, or set as text by the script; there is
// no inline script or style, and the policy forbids any.
//
// The referrer policy is same-origin rather than no-referrer: under the latter
// browsers send "Origin: null" with our own forms, and without TLS they send no
// Sec-Fetch-Site either, so that a form of ours could not be told from others.
//
// # Goroutines
//
// None is started here. Streams run on the goroutines of their connections.
package web
