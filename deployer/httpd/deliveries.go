package httpd

import (
	"math"

	"github.com/gofiber/fiber/v2"

	"github.com/seadog/seadog/deployer"
)

type deliveryList struct {
	Deliveries []deployer.Delivery `json:"deliveries"`
	Next       int64               `json:"next"` // "before" of the next page; 0: this was the last
}

// listDeliveries answers GET /api/v1/deliveries.
func (s *Server) listDeliveries(x *exchange) error {
	q := query{x: x}
	f := deployer.DeliveryFilter{
		Project: q.project("project"),
		Before:  q.number("before", 0, math.MaxInt64),
		Limit:   q.limit(),
	}
	verdicts := oneOf(&q, "verdict", deployer.Verdicts())
	if len(verdicts) > 1 {
		q.wrong("verdict", "takes one verdict")
	}
	if q.err != nil {
		return q.err
	}
	if len(verdicts) == 1 {
		f.Verdict = verdicts[0]
	}
	deliveries, err := s.cfg.Store.Deliveries(x.ctx, f)
	if err != nil {
		return err
	}
	list := deliveryList{Deliveries: orEmpty(deliveries)}
	if len(deliveries) == f.Limit {
		list.Next = deliveries[len(deliveries)-1].ID
	}
	return x.json(fiber.StatusOK, list)
}

// showDelivery answers GET /api/v1/deliveries/{id}.
func (s *Server) showDelivery(x *exchange) error {
	id, err := x.pathID()
	if err != nil {
		return err
	}
	d, err := s.cfg.Store.Delivery(x.ctx, id)
	if err != nil {
		return err
	}
	return x.json(fiber.StatusOK, d)
}
