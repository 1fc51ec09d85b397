/**
 * Schema 1: a row per crash and its text. Migrations are TypeScript texts because they must load alike from source
 * (type stripping reads no .sql) and from the bundle.
 *
 * `crash_time` serves `ls` in its usual order, with the id as the tie-break that makes the order total;
 * `crash_signature` holds all that `top` counts. The partial
 * index keeps the queue of the daemon small. The full-text table has external content, so that a text is stored once and
 * snippets still work; `_` counts as a letter, or `mapassign_faststr` could not be asked for.
 */
export const crashes = `
CREATE TABLE crash (
  key             INTEGER PRIMARY KEY,
  id              TEXT NOT NULL UNIQUE,
  day             TEXT NOT NULL,
  time            INTEGER NOT NULL,
  host            TEXT NOT NULL,
  pid             INTEGER NOT NULL,
  uid             INTEGER NOT NULL,
  comm            TEXT NOT NULL,
  exe             TEXT NOT NULL,
  program         TEXT NOT NULL,
  signal          INTEGER NOT NULL,
  signal_name     TEXT NOT NULL,
  core_state      TEXT NOT NULL CHECK (core_state IN ('complete', 'truncated', 'none')),
  core_reason     TEXT,
  raw_size        INTEGER NOT NULL,
  stored_size     INTEGER NOT NULL,
  expected_size   INTEGER,
  held_ms         REAL NOT NULL,
  pinned          INTEGER NOT NULL CHECK (pinned IN (0, 1)),
  analysis        TEXT NOT NULL CHECK (analysis IN ('pending', 'done', 'failed', 'none')),
  analysis_error  TEXT,
  go_version      TEXT,
  program_version TEXT,
  death_kind      TEXT,
  cause           TEXT,
  cause_at        TEXT,
  signature_key   TEXT,
  signature_text  TEXT,
  goroutines      INTEGER
) STRICT;

CREATE INDEX crash_day ON crash (day, id);
CREATE INDEX crash_time ON crash (time, id);
CREATE INDEX crash_signature ON crash (signature_key, time, host, program, id) WHERE signature_key IS NOT NULL;
CREATE INDEX crash_host ON crash (host, time);
CREATE INDEX crash_program ON crash (program, time);
CREATE INDEX crash_pid ON crash (pid, time);
CREATE INDEX crash_uid ON crash (uid, time);
CREATE INDEX crash_pending ON crash (time, id) WHERE analysis = 'pending';
CREATE INDEX crash_pinned ON crash (time, id) WHERE pinned = 1;

CREATE TABLE crash_text (
  key     INTEGER PRIMARY KEY REFERENCES crash (key) ON DELETE CASCADE,
  message TEXT NOT NULL,
  frames  TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE crash_fts USING fts5 (
  message, frames,
  content = 'crash_text', content_rowid = 'key',
  tokenize = "unicode61 remove_diacritics 2 tokenchars '_'"
);

CREATE TRIGGER crash_text_added AFTER INSERT ON crash_text BEGIN
  INSERT INTO crash_fts (rowid, message, frames) VALUES (new.key, new.message, new.frames);
END;
CREATE TRIGGER crash_text_removed AFTER DELETE ON crash_text BEGIN
  INSERT INTO crash_fts (crash_fts, rowid, message, frames) VALUES ('delete', old.key, old.message, old.frames);
END;
CREATE TRIGGER crash_text_changed AFTER UPDATE ON crash_text BEGIN
  INSERT INTO crash_fts (crash_fts, rowid, message, frames) VALUES ('delete', old.key, old.message, old.frames);
  INSERT INTO crash_fts (rowid, message, frames) VALUES (new.key, new.message, new.frames);
END;
`
