package client

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"github.com/seadog/seadog/deployer"
)

// DeploymentList is a page of GET /api/v1/deployments, newest first.
type DeploymentList struct {
	Deployments []deployer.Deployment `json:"deployments"`
	Next        int64                 `json:"next"` // [deployer.DeploymentFilter.Before] of the next page; 0: there is none
}

// Deployments returns a page of deployments.
func (c *Client) Deployments(ctx context.Context, f deployer.DeploymentFilter) (DeploymentList, error) {
	statuses := make([]string, len(f.Statuses))
	for i, s := range f.Statuses {
		statuses[i] = string(s)
	}
	q := page(f.Before, f.Limit)
	set(q, "project", f.Project)
	set(q, "status", strings.Join(statuses, ","))
	return call[DeploymentList](ctx, c, get("/api/v1/deployments", q))
}

// Deployment returns one deployment with its steps.
func (c *Client) Deployment(ctx context.Context, id int64) (deployer.Deployment, error) {
	return call[deployer.Deployment](ctx, c, get(deploymentPath(id, ""), nil))
}

// Cancel asks for the end of a deployment; CodeConflict if it is over already.
func (c *Client) Cancel(ctx context.Context, id int64) (deployer.Deployment, error) {
	return call[deployer.Deployment](ctx, c, post(deploymentPath(id, "/cancel"), nil))
}

// DeliveryList is a page of GET /api/v1/deliveries, newest first.
type DeliveryList struct {
	Deliveries []deployer.Delivery `json:"deliveries"`
	Next       int64               `json:"next"` // [deployer.DeliveryFilter.Before] of the next page; 0: there is none
}

// Deliveries returns a page of deliveries.
func (c *Client) Deliveries(ctx context.Context, f deployer.DeliveryFilter) (DeliveryList, error) {
	q := page(f.Before, f.Limit)
	set(q, "project", f.Project)
	set(q, "verdict", string(f.Verdict))
	return call[DeliveryList](ctx, c, get("/api/v1/deliveries", q))
}

// Delivery returns one delivery with every decision about it.
func (c *Client) Delivery(ctx context.Context, id int64) (deployer.Delivery, error) {
	return call[deployer.Delivery](ctx, c, get("/api/v1/deliveries/"+strconv.FormatInt(id, 10), nil))
}

func deploymentPath(id int64, action string) string {
	return "/api/v1/deployments/" + strconv.FormatInt(id, 10) + action
}

func page(before int64, limit int) url.Values {
	q := url.Values{}
	if before > 0 {
		q.Set("before", strconv.FormatInt(before, 10))
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	return q
}

func set(q url.Values, key, value string) {
	if value != "" {
		q.Set(key, value)
	}
}
