-- The first schema.
--
-- `session.key` and `chat.key` are numbers that never leave this database: they stand in for the 16-byte ids and the long
-- addresses in the tables that grow, so that rows and indexes stay small.
-- Deleting a row of `session` takes everything that hangs on it along; nothing else has to be remembered.
-- Numbers that stand for names are listed in `codes.rs`. Instants are milliseconds since 1970, UTC.

-- "Seat": marks the file as one of ours. Part of this transaction, so that a file is marked exactly when it has the schema.
PRAGMA application_id = 1399153012;

-- What belongs to the whole organisation: one row.
CREATE TABLE organisation (
    only          INTEGER PRIMARY KEY CHECK (only = 1),
    -- The range of ports; null until one was set.
    port_first    INTEGER,
    port_capacity INTEGER,
    key_check     BLOB
) STRICT;
INSERT INTO organisation (only) VALUES (1);

CREATE TABLE agent (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    key          INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    revision     INTEGER NOT NULL,
    port         INTEGER UNIQUE,
    -- Which process drives it and how often it changed hands; the register of living processes is in memory, see `lease.rs`.
    owner        TEXT,
    epoch        INTEGER NOT NULL DEFAULT 0,
    -- Counters, so that a card costs the same however long its history is.
    unread       INTEGER NOT NULL DEFAULT 0,
    last_message INTEGER NOT NULL DEFAULT 0,
    last_event   INTEGER NOT NULL DEFAULT 0,
    -- Taken out of the record for filters; the status is the one that holds while a live process drives the session.
    status       INTEGER NOT NULL,
    agent        TEXT,
    search       TEXT NOT NULL,
    -- Last, because it is long: SQLite reads a row from its start.
    record       TEXT NOT NULL
) STRICT;
CREATE INDEX session_by_agent ON session (agent, id);
-- Those that are not at rest (0 not started, 1 offline).
CREATE INDEX session_running ON session (id) WHERE status > 1;

CREATE TABLE vault (
    session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    name    TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE contact (
    session    INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    address    TEXT NOT NULL,
    name       TEXT,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (session, address)
) STRICT, WITHOUT ROWID;

-- A chat's unread messages are `inbound - read_inbound`: all that came in, less those that had come in up to the read mark.
CREATE TABLE chat (
    key          INTEGER PRIMARY KEY,
    session      INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    address      TEXT NOT NULL,
    -- The place of the message stored last, and how many inbound ones there are up to it.
    last         INTEGER NOT NULL DEFAULT 0,
    inbound      INTEGER NOT NULL DEFAULT 0,
    -- The read mark: the same two numbers of the message it points at.
    read         INTEGER NOT NULL DEFAULT 0,
    read_inbound INTEGER NOT NULL DEFAULT 0,
    UNIQUE (session, address)
) STRICT;

CREATE TABLE message (
    session   INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    seq       INTEGER NOT NULL,
    chat      INTEGER NOT NULL,
    id        TEXT NOT NULL,
    direction INTEGER NOT NULL,
    -- How many inbound messages the chat has up to this one: what a read mark needs to know, without counting.
    inbound   INTEGER NOT NULL,
    status    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    sender    TEXT NOT NULL,
    author    TEXT,
    content   TEXT NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_by_id ON message (chat, id);
CREATE INDEX message_by_time ON message (chat, at, seq);
-- Outbound (1) and not yet taken by the network (0).
CREATE INDEX message_pending ON message (session, seq) WHERE direction = 1 AND status = 0;

CREATE TABLE event (
    session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

-- Lines are never removed, so that SQLite numbers them 1, 2, 3, … by itself. Outlives the sessions it tells of.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    entry  TEXT NOT NULL
) STRICT;
