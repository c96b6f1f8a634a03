package web

import (
	"fmt"
	"html/template"
)

// icons are drawn by hand on a grid of 16, with the colour of the text. The
// signs of statuses are in the style sheet: pages have hundreds of those.
var icons = map[string]string{
	"lock":    `<rect x="3.5" y="7" width="9" height="6.5" rx="1"/><path d="M5.5 7V5a2.5 2.5 0 0 1 5 0v2"/>`,
	"menu":    `<path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11"/>`,
	"board":   `<path d="M2.5 2.5h5v6h-5zM9.5 2.5h4v3.5h-4zM9.5 8h4v5.5h-4zM2.5 10.5h5v3h-5z"/>`,
	"deploy":  `<path d="M8 13.5V4M4 7.5L8 3.5l4 4"/>`,
	"letters": `<rect x="2" y="3.5" width="12" height="9" rx="1"/><path d="M2.5 4.5L8 9l5.5-4.5"/>`,
	"workers": `<path d="M8 2.5v2M8 11.5v2M2.5 8h2M11.5 8h2M4.1 4.1l1.4 1.4M10.5 10.5l1.4 1.4M4.1 11.9l1.4-1.4M10.5 5.5l1.4-1.4"/><circle cx="8" cy="8" r="2.6"/>`,
	"bell":    `<path d="M4 11.5V7a4 4 0 0 1 8 0v4.5M2.5 11.5h11M7 13.8h2"/>`,
	"gauge":   `<path d="M2.5 12a6 6 0 1 1 11 0"/><path d="M8 11l2.5-4"/>`,
	"gear":    `<path d="M2.5 4.5h6M11.5 4.5h2M2.5 8h2M7.5 8h6M2.5 11.5h7M12.5 11.5h1"/><circle cx="10" cy="4.5" r="1.5"/><circle cx="6" cy="8" r="1.5"/><circle cx="11" cy="11.5" r="1.5"/>`,
	"back":    `<path d="M6.5 4L3 7.5 6.5 11"/><path d="M3 7.5h6.5a3.5 3.5 0 0 1 0 7H8"/>`,
	"again":   `<path d="M13 8a5 5 0 1 1-1.6-3.7L13 6"/><path d="M13 2.5V6H9.5"/>`,
	"stop":    `<rect x="4" y="4" width="8" height="8" rx="1"/>`,
	"link":    `<path d="M6 3.5H3v9.5h9.5v-3M9 2.5h4.5V7M13 3L7.5 8.5"/>`,
	"theme":   `<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5a5.5 5.5 0 0 1 0 11z" fill="currentColor"/>`,
	"out":     `<path d="M9.5 3H3v10h6.5M7 8h7M11 5l3 3-3 3"/>`,
	"keys":    `<rect x="1.5" y="4" width="13" height="8.5" rx="1.2"/><path d="M4 7h.1M6.7 7h.1M9.3 7h.1M12 7h.1M5 10h6"/>`,
}

// icon draws one; what it means stands beside it in words.
func icon(name string) (template.HTML, error) {
	paths, ok := icons[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">` + paths + `</svg>`), nil //nolint:gosec // ours
}
