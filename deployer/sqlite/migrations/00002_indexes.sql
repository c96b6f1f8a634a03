-- +goose Up
-- Every page that a commit touches is written, and read again by the other
-- processes; so what arrives together should be kept together, whichever hooks
-- and projects it is for. Ids that a forge gave out one after the other share a page:
create index deliveries_known on deliveries (external_id, hook) where external_id <> '' and repeated = 0;
drop index deliveries_seen;
-- 256 deliveries in a row form a block, and are sorted by project within it:
create index deliveries_block on deliveries (id >> 8, project);
drop index deliveries_project;
