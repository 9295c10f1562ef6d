-- The first schema.
--
-- `session.key`, `chat.key` and `contact.key` are numbers that never leave this database: they stand in for the 16-byte ids and
-- the long addresses in the tables that grow, so that rows and indexes stay small.
-- Deleting a row of `session` takes everything that hangs on it along, but for the two indexes of texts, see `search`; and the
-- ledger and the audit trail, which outlive it.
-- Numbers that stand for names are listed in `codes.rs`. Instants are milliseconds since 1970, UTC.

-- "Seat": marks the file as one of ours. Part of this transaction, so that a file is marked exactly when it has the schema.
PRAGMA application_id = 1399153012;

-- What belongs to the whole organisation: one row.
CREATE TABLE organisation (
    only          INTEGER PRIMARY KEY CHECK (only = 1),
    -- The range of ports; null until one was set.
    port_first    INTEGER,
    port_capacity INTEGER,
    key_check     BLOB,
    ledger_key    BLOB
) STRICT;
INSERT INTO organisation (only) VALUES (1);

CREATE TABLE agent (
    id   TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    -- In the order in which sessions were added. Below 2^23, so that an index of texts has room for it, see `search`.
    key          INTEGER PRIMARY KEY CHECK (key < 8388608),
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
    -- The last event that was trimmed away.
    trimmed      INTEGER NOT NULL DEFAULT 0,
    -- Null unless it is being deleted: then its texts are in the indexes only up to this place and before this address.
    indexed_place   INTEGER,
    indexed_address TEXT,
    -- Taken out of the record: for filters, for the ledger. The status is the one that holds while a live process drives it.
    status       INTEGER NOT NULL,
    agent        TEXT,
    first_login  INTEGER,
    -- The labels that it asks of a node; null if none.
    runs_on      TEXT,
    search       TEXT NOT NULL,
    -- Last, because it is long: SQLite reads a row from its start.
    record       TEXT NOT NULL
) STRICT;
CREATE INDEX session_by_agent ON session (agent, id);
-- Those that are not at rest (0 not started, 1 offline).
CREATE INDEX session_running ON session (id) WHERE status > 1;
CREATE INDEX session_half_deleted ON session (key) WHERE indexed_place IS NOT NULL;

CREATE TABLE vault (
    session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    name    TEXT NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (session, name)
) STRICT, WITHOUT ROWID;

-- Addresses that stand for another one, each directly: no canonical address is an alias itself. An address may be given to
-- somebody else later; `meant` goes on to say whose it was when it was first given up. Whatever is stored under the address itself
-- is from before that, for later it is stored under the canonical one.
CREATE TABLE alias (
    session   INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    address   TEXT NOT NULL,
    canonical TEXT NOT NULL,
    meant     TEXT NOT NULL,
    PRIMARY KEY (session, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_by_canonical ON alias (session, canonical);
CREATE INDEX alias_by_meant ON alias (session, meant);

CREATE TABLE contact (
    key        INTEGER PRIMARY KEY,
    session    INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    address    TEXT NOT NULL,
    phone      TEXT,
    name       TEXT,
    saved_name TEXT,
    avatar     TEXT,
    first_seen INTEGER,
    last_seen  INTEGER,
    UNIQUE (session, address)
) STRICT;

CREATE TABLE chat (
    key         INTEGER PRIMARY KEY,
    session     INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    address     TEXT NOT NULL,
    kind        INTEGER NOT NULL,
    -- 0 while all that is known of it are amendments of messages that have not come yet.
    listed      INTEGER NOT NULL,
    unread      INTEGER NOT NULL DEFAULT 0,
    -- How many amendments wait for their messages.
    waiting     INTEGER NOT NULL DEFAULT 0,
    -- The place of the newest message, by time and then by place, and its time with the sign turned round: so both halves of
    -- the order of the list ascend, and one comparison of rows finds a place in it. Without a message the largest number.
    last        INTEGER,
    recency     INTEGER NOT NULL DEFAULT 9223372036854775807,
    archived    INTEGER NOT NULL DEFAULT 0,
    muted_until INTEGER,
    -- How far back its history was received: the time of the oldest message, and whether there is nothing older.
    oldest      INTEGER,
    complete    INTEGER NOT NULL DEFAULT 0,
    -- The person it is with, as the ledger knows them.
    person      BLOB,
    UNIQUE (session, address)
) STRICT;
CREATE INDEX chat_by_recency ON chat (session, recency, address) WHERE listed = 1;

CREATE TABLE message (
    session   INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    seq       INTEGER NOT NULL,
    chat      INTEGER NOT NULL,
    id        TEXT NOT NULL,
    direction INTEGER NOT NULL,
    status    INTEGER NOT NULL,
    -- 0 read, 1 unread, 2 read here while the network has not been told.
    unread    INTEGER NOT NULL,
    -- 0 it could not be decrypted so far, 1 as it was sent, 2 taken back.
    body      INTEGER NOT NULL,
    -- Whether somebody reacted to it: only then are there rows to look for.
    reacted   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    edited_at INTEGER,
    sender    TEXT NOT NULL,
    author    TEXT,
    quoted    TEXT,
    failure   TEXT,
    -- What it says now: as it was edited last.
    content   TEXT NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX message_by_id ON message (chat, id);
CREATE INDEX message_by_time ON message (chat, at, seq);
-- Outbound (1) and not yet taken by the network (0).
CREATE INDEX message_pending ON message (session, seq) WHERE direction = 1 AND status = 0;
CREATE INDEX message_unread ON message (chat, seq) WHERE unread = 1;
CREATE INDEX message_untold ON message (session, seq) WHERE unread = 2;

-- The idempotency keys of callers, each with the place of its message.
CREATE TABLE send_key (
    session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    key     TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (session, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX send_key_by_message ON send_key (session, seq);

-- What happened to messages after they were sent, as far as it counts: of each message the latest edit (1), of each sender the
-- latest reaction (2). A deletion (0) is here only while it waits for its message, which says afterwards that it was taken back.
CREATE TABLE amendment (
    chat    INTEGER NOT NULL REFERENCES chat ON DELETE CASCADE,
    target  TEXT NOT NULL,
    change  INTEGER NOT NULL,
    -- Empty unless it is a reaction: then each sender has one.
    slot    TEXT NOT NULL,
    at      INTEGER NOT NULL,
    id      TEXT NOT NULL,
    -- Whether it waits for its message.
    waits   INTEGER NOT NULL,
    -- What it says from then on, or the emoji; null takes a reaction away.
    value   TEXT,
    PRIMARY KEY (chat, target, change, slot)
) STRICT, WITHOUT ROWID;

-- Which texts hold which short pieces ("grams", see `search/grams.rs`), by place: the session's key and the message's place or
-- the contact's key in one number, so that a session is a range. Nothing of the texts themselves is in it.
-- `secure-delete`: what is taken out is gone, not just marked.
CREATE VIRTUAL TABLE message_text USING fts5 (grams, content='', columnsize=0, detail=none, tokenize='ascii');
INSERT INTO message_text (message_text, rank) VALUES ('secure-delete', 1);
-- Small pages: to take something out is to write a page anew.
INSERT INTO message_text (message_text, rank) VALUES ('pgsz', 1000);
CREATE VIRTUAL TABLE contact_text USING fts5 (grams, content='', columnsize=0, detail=none, tokenize='ascii');
INSERT INTO contact_text (contact_text, rank) VALUES ('secure-delete', 1);
INSERT INTO contact_text (contact_text, rank) VALUES ('pgsz', 1000);

CREATE TABLE event (
    session INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    seq     INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT NOT NULL,
    PRIMARY KEY (session, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE consumer (
    name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- How far a consumer has come with a session's events; no row: not begun.
CREATE TABLE acknowledged (
    session  INTEGER NOT NULL REFERENCES session ON DELETE CASCADE,
    consumer TEXT NOT NULL REFERENCES consumer ON DELETE CASCADE,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (session, consumer)
) STRICT, WITHOUT ROWID;
CREATE INDEX acknowledged_by_consumer ON acknowledged (consumer);

-- Lines are never removed, so that SQLite numbers them 1, 2, 3, … by itself. Outlives the sessions it tells of.
CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    hash   BLOB NOT NULL CHECK (length(hash) = 32),
    entry  TEXT NOT NULL
) STRICT;

-- The lead ledger, see `seatport::leads::ledger`. It outlives the sessions it tells of, so it names them by their ids.

-- AUTOINCREMENT: no number is given twice.
CREATE TABLE person (
    id INTEGER PRIMARY KEY AUTOINCREMENT
) STRICT;

CREATE TABLE person_key (
    key    BLOB PRIMARY KEY CHECK (length(key) = 16),
    person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX person_key_by_person ON person_key (person);

CREATE TABLE trace (
    person INTEGER NOT NULL REFERENCES person ON DELETE CASCADE,
    at     INTEGER NOT NULL,
    id     TEXT NOT NULL,
    tie    INTEGER NOT NULL
) STRICT;
CREATE INDEX trace_by_person ON trace (person);

CREATE TABLE pair (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    person         INTEGER NOT NULL REFERENCES person,
    session        BLOB NOT NULL,
    first_login    INTEGER,
    first_activity INTEGER,
    -- The earliest message to the person: its place in time and who wrote it.
    outbound_at    INTEGER,
    outbound_id    TEXT,
    outbound_by    TEXT,
    UNIQUE (person, session)
) STRICT;
CREATE INDEX pair_by_session ON pair (session);

CREATE TABLE visit (
    pair    INTEGER NOT NULL REFERENCES pair ON DELETE CASCADE,
    at      INTEGER NOT NULL,
    id      TEXT NOT NULL,
    -- The time of its last message.
    until   INTEGER NOT NULL,
    agent   TEXT,
    late    INTEGER NOT NULL,
    PRIMARY KEY (pair, at, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE shift (
    session BLOB NOT NULL,
    at      INTEGER NOT NULL,
    agent   TEXT,
    running INTEGER NOT NULL,
    PRIMARY KEY (session, at)
) STRICT, WITHOUT ROWID;

-- An entry in the columns of these three is written so that the columns sort as entries do: see `ledger/entry.rs`.
CREATE TABLE lead_total (
    quarter INTEGER NOT NULL,
    session BLOB NOT NULL,
    agent   TEXT NOT NULL,
    class   INTEGER NOT NULL,
    late    INTEGER NOT NULL,
    replier TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (quarter, session, agent, class, late, replier, seconds)
) STRICT, WITHOUT ROWID;

-- What the totals hold of visits whose session was erased.
CREATE TABLE lead_anonymous (
    quarter INTEGER NOT NULL,
    session BLOB NOT NULL,
    agent   TEXT NOT NULL,
    class   INTEGER NOT NULL,
    late    INTEGER NOT NULL,
    replier TEXT NOT NULL,
    seconds INTEGER NOT NULL,
    count   INTEGER NOT NULL,
    PRIMARY KEY (quarter, session, agent, class, late, replier, seconds)
) STRICT, WITHOUT ROWID;

CREATE TABLE lead_adjustment (
    number    INTEGER PRIMARY KEY,
    posted_at INTEGER NOT NULL,
    reason    INTEGER NOT NULL,
    quarter   INTEGER NOT NULL,
    session   BLOB NOT NULL,
    agent     TEXT NOT NULL,
    class     INTEGER NOT NULL,
    late      INTEGER NOT NULL,
    replier   TEXT NOT NULL,
    seconds   INTEGER NOT NULL,
    change    INTEGER NOT NULL
) STRICT;
CREATE INDEX lead_adjustment_by_quarter ON lead_adjustment (quarter);
