-- Alerts that end by themselves, and what was told of them.
SET LOCAL search_path = greenstream;

-- An alert is open until a person has seen it or what it tells of has ended.
ALTER TABLE alert ADD COLUMN resolved_at timestamptz;
DROP INDEX one_open_alert;
CREATE UNIQUE INDEX one_open_alert ON alert (code, md5(subject)) WHERE acknowledged_at IS NULL AND resolved_at IS NULL;
CREATE INDEX alert_by_subject ON alert (code, md5(subject));

-- What each channel was told last about a code and subject, be it in this alert or in an earlier one.
CREATE TABLE alert_told (
    channel text NOT NULL,
    code text NOT NULL,
    subject text NOT NULL,
    alert_id bigint NOT NULL,
    count bigint NOT NULL,
    told_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX told_once ON alert_told (channel, code, md5(subject));

-- A row a message that a channel took, kept for a day.
CREATE TABLE alert_message (
    channel text NOT NULL,
    sent_at timestamptz NOT NULL,
    alerts integer NOT NULL
);
CREATE INDEX ON alert_message (channel, sent_at);

CREATE OR REPLACE VIEW public.alerts AS
SELECT code, severity, subject, message, count, first_at, last_at, acknowledged_at, resolved_at, alert_id
FROM alert;
