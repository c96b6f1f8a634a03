package httpd

import (
	_ "embed"

	"github.com/gofiber/fiber/v2"
)

//go:embed openapi.json
var openAPI []byte

// openapi answers GET /api/v1/openapi.json.
func (s *Server) openapi(x *exchange) error {
	x.c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	x.c.Response().SetBodyRaw(openAPI)
	return nil
}
