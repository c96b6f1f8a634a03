-- +goose Up
-- Times are microseconds since 1970 (UTC), 0 for none.
create table deployments (
    id            bigint  primary key,
    project       text    not null,
    triggered     text    not null,
    ref           text    not null,
    attempt       bigint  not null,
    origin        bigint  not null,
    overrides     bigint  not null,
    created_at    bigint  not null,
    status        text    not null,
    outcome       text    not null,
    cause         text    not null,
    reason        text    not null,
    commit_sha    text    not null,
    before_sha    text    not null,
    message       text    not null,
    actor         text    not null,
    superseded_by bigint  not null,
    coalesced     bigint  not null,
    started_at    bigint  not null,
    finished_at   bigint  not null,
    step          text    not null,
    stalled_since bigint  not null,
    cancel_by     text    not null,
    node          text    not null,
    boot          text    not null,
    pid           bigint  not null,
    started       bigint  not null,
    heartbeat_at  bigint  not null,
    marker        text    not null,
    images        text    not null
);
create index deployments_project on deployments (project, id);
create index deployments_active on deployments (project) where status in ('queued', 'running');
create unique index deployments_queued on deployments (project) where status = 'queued';
create unique index deployments_running on deployments (project) where status = 'running';

create table step_runs (
    deployment  bigint  not null references deployments (id) on delete cascade,
    step        text    not null,
    started_at  bigint  not null,
    finished_at bigint  not null,
    error       text    not null,
    primary key (deployment, step)
);

-- One row per decision; what belongs to the delivery is repeated in each.
create table deliveries (
    id          bigint  not null,
    line        bigint  not null,
    hook        text    not null,
    provider    text    not null,
    external_id text    not null,
    event       text    not null,
    received_at bigint  not null,
    bytes       bigint  not null,
    project     text    not null,
    ref         text    not null,
    commit_sha  text    not null,
    verdict     text    not null,
    reason      text    not null,
    deployment  bigint  not null,
    repeated    bigint  not null,
    primary key (id, line)
);
create index deliveries_project on deliveries (project, id);
create index deliveries_seen on deliveries (hook, external_id) where external_id <> '' and repeated = 0;

create table locks (
    project    text primary key,
    owner      text    not null,
    reason     text    not null,
    created_at bigint  not null,
    expires_at bigint  not null
);

create table leases (
    name       text primary key,
    node       text    not null,
    boot       text    not null,
    pid        bigint  not null,
    started    bigint  not null,
    expires_at bigint  not null
);

-- Counters outlive the rows that they counted.
create table counts (
    kind  text    not null,
    a     text    not null,
    b     text    not null,
    shard bigint  not null,
    n     bigint  not null,
    primary key (kind, a, b, shard)
);

-- Whoever places deployments locks the rows of their projects first.
create table projects (
    name text primary key
);

create sequence delivery_ids;
create sequence deployment_ids;
