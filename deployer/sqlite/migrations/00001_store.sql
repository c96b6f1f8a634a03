-- +goose Up
-- Times are microseconds since 1970 (UTC), 0 for none.
create table deployments (
    id            integer primary key,
    project       text    not null,
    triggered     text    not null,
    ref           text    not null,
    attempt       integer not null,
    origin        integer not null,
    overrides     integer not null,
    created_at    integer not null,
    status        text    not null,
    outcome       text    not null,
    cause         text    not null,
    reason        text    not null,
    commit_sha    text    not null,
    before_sha    text    not null,
    message       text    not null,
    actor         text    not null,
    superseded_by integer not null,
    coalesced     integer not null,
    started_at    integer not null,
    finished_at   integer not null,
    step          text    not null,
    stalled_since integer not null,
    cancel_by     text    not null,
    node          text    not null,
    boot          text    not null,
    pid           integer not null,
    started       integer not null,
    heartbeat_at  integer not null,
    marker        text    not null,
    images        text    not null
) strict;
create index deployments_project on deployments (project, id);
create index deployments_active on deployments (project) where status in ('queued', 'running');
create unique index deployments_queued on deployments (project) where status = 'queued';
create unique index deployments_running on deployments (project) where status = 'running';

create table step_runs (
    deployment  integer not null references deployments (id) on delete cascade,
    step        text    not null,
    started_at  integer not null,
    finished_at integer not null,
    error       text    not null,
    primary key (deployment, step)
) strict, without rowid;

-- One row per decision; what belongs to the delivery is repeated in each.
create table deliveries (
    id          integer not null,
    line        integer not null,
    hook        text    not null,
    provider    text    not null,
    external_id text    not null,
    event       text    not null,
    received_at integer not null,
    bytes       integer not null,
    project     text    not null,
    ref         text    not null,
    commit_sha  text    not null,
    verdict     text    not null,
    reason      text    not null,
    deployment  integer not null,
    repeated    integer not null,
    primary key (id, line)
) strict, without rowid;
create index deliveries_project on deliveries (project, id);
create index deliveries_seen on deliveries (hook, external_id) where external_id <> '' and repeated = 0;

create table locks (
    project    text primary key,
    owner      text    not null,
    reason     text    not null,
    created_at integer not null,
    expires_at integer not null
) strict, without rowid;

create table leases (
    name       text primary key,
    node       text    not null,
    boot       text    not null,
    pid        integer not null,
    started    integer not null,
    expires_at integer not null
) strict, without rowid;

-- Counters outlive the rows that they counted.
create table counts (
    kind  text    not null,
    a     text    not null,
    b     text    not null,
    shard integer not null,
    n     integer not null,
    primary key (kind, a, b, shard)
) strict, without rowid;

-- The last ids that were given out; they are never given out again.
create table sequences (
    name text primary key,
    last integer not null
) strict, without rowid;
insert into sequences (name, last) values ('delivery', 0), ('deployment', 0);
