/*
 * Version 1.
 *
 * What a callback touches is kept small and close together, since every page it changes is
 * written to the log: task rows carry no bulk (that is task_text, written once); the timeline is
 * only ever added to at its end, each entry naming the one before it of the same task, so that it
 * needs no index, and it holds the nonces of its signatures as well; most other indexes are
 * partial, so that they cost nothing where nobody looks. tally is written when the store is closed;
 * while it is open the numbers are in memory, since counting a million rows for every look at the
 * metrics would not do, and triggers cost a third of a callback.
 *
 * Numbers in the partial indexes: task states above 4 are the ends other than success; run state
 * 1 is ready, 3 done.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store/store_schema.h"

#define TEXT_OF(x)  TEXT_OF_(x)
#define TEXT_OF_(x) #x

/* clang-format off */
static const char version_1[] =
    "CREATE TABLE meta ("
    "  name  TEXT PRIMARY KEY,"
    "  value BLOB NOT NULL"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE task ("
    "  row              INTEGER PRIMARY KEY,"
    "  state            INTEGER NOT NULL,"
    "  pending          INTEGER NOT NULL,"
    "  credits          INTEGER NOT NULL,"
    "  off_peak         INTEGER NOT NULL,"
    "  expects_callback INTEGER NOT NULL,"
    "  adopted          INTEGER NOT NULL,"
    "  created_ms       INTEGER NOT NULL,"
    "  updated_ms       INTEGER NOT NULL,"
    "  finished_ms      INTEGER NOT NULL,"
    "  next_look_ms     INTEGER NOT NULL,"
    "  looks            INTEGER NOT NULL,"
    "  misses           INTEGER NOT NULL,"
    "  missed_ms        INTEGER NOT NULL,"
    "  n_events         INTEGER NOT NULL,"
    "  last_event       INTEGER NOT NULL," /* 0: none */
    "  source           INTEGER NOT NULL,"
    "  id               TEXT NOT NULL,"
    "  key_hash         BLOB,"
    "  provider         TEXT NOT NULL,"
    "  endpoint         TEXT NOT NULL,"
    "  model            TEXT NOT NULL,"
    "  remote_id        TEXT NOT NULL,"
    "  callback_path    TEXT NOT NULL,"
    "  callback_query   TEXT NOT NULL,"
    "  tags             TEXT NOT NULL,"
    "  forward_url      TEXT NOT NULL,"
    "  trace_id         TEXT NOT NULL,"
    "  err_code         TEXT NOT NULL,"
    "  err_msg          TEXT NOT NULL,"
    "  result           TEXT NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX task_id ON task(id);"
    "CREATE UNIQUE INDEX task_key ON task(key_hash) WHERE key_hash IS NOT NULL;"
    "CREATE INDEX task_remote ON task(remote_id, provider) WHERE remote_id <> '';"
    "CREATE INDEX task_look ON task(next_look_ms) WHERE next_look_ms > 0;"
    "CREATE INDEX task_odd ON task(state, created_ms) WHERE state > 4;"
    "CREATE INDEX task_created ON task(created_ms);"

    "CREATE TABLE task_text ("
    "  task    INTEGER PRIMARY KEY REFERENCES task(row) ON DELETE CASCADE,"
    "  prompt  TEXT NOT NULL,"
    "  request TEXT NOT NULL,"
    "  payload TEXT NOT NULL"
    ") STRICT;"

    "CREATE TABLE event ("
    "  row     INTEGER PRIMARY KEY,"
    "  task    INTEGER NOT NULL," /* no REFERENCES: looking for what refers would need an index */
    "  prev    INTEGER NOT NULL," /* 0: the first */
    "  at_ms   INTEGER NOT NULL,"
    "  source  INTEGER NOT NULL,"
    "  state   INTEGER NOT NULL,"
    "  verdict TEXT NOT NULL,"
    "  detail  TEXT NOT NULL,"
    "  nonce   BLOB NOT NULL,"
    "  headers BLOB NOT NULL,"
    "  body    BLOB NOT NULL"
    ") STRICT;"

    "CREATE TABLE nonce (" /* of fixed addresses, where one signature is good for one task */
    "  digest BLOB PRIMARY KEY,"
    "  at_ms  INTEGER NOT NULL"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX nonce_at ON nonce(at_ms);"

    "CREATE TABLE run ("
    "  row         INTEGER PRIMARY KEY,"
    "  task        INTEGER REFERENCES task(row) ON DELETE CASCADE," /* NULL: of no task */
    "  state       INTEGER NOT NULL,"
    "  serial      INTEGER NOT NULL," /* 0: once for a task; those that may repeat count from 1 */
    "  on_failure  INTEGER NOT NULL,"
    "  attempt     INTEGER NOT NULL,"
    "  failures    INTEGER NOT NULL,"
    "  losses      INTEGER NOT NULL,"
    "  replay      INTEGER NOT NULL,"
    "  once        INTEGER NOT NULL,"
    "  event       INTEGER NOT NULL," /* 0: none; no REFERENCES, as in event */
    "  expires_ms  INTEGER NOT NULL,"
    "  due_ms      INTEGER NOT NULL,"
    "  lease_ms    INTEGER NOT NULL,"
    "  created_ms  INTEGER NOT NULL,"
    "  started_ms  INTEGER NOT NULL,"
    "  finished_ms INTEGER NOT NULL,"
    "  exit_code   INTEGER NOT NULL,"
    "  hook        TEXT NOT NULL,"
    "  trigger     TEXT NOT NULL,"
    "  after       TEXT NOT NULL,"
    "  details     TEXT NOT NULL,"
    "  detail      TEXT NOT NULL,"
    "  output      TEXT NOT NULL,"
    "  command     TEXT NOT NULL"
    ") STRICT;"
    "CREATE UNIQUE INDEX run_once ON run(task, hook, trigger, serial);"
    "CREATE INDEX run_ready ON run(hook, expires_ms, due_ms) WHERE state = 1;"
    "CREATE INDEX run_state ON run(state) WHERE state <> 3;"
    "CREATE INDEX run_lone ON run(finished_ms) WHERE task IS NULL;"

    "CREATE TABLE file ("
    "  row        INTEGER PRIMARY KEY,"
    "  task       INTEGER NOT NULL REFERENCES task(row) ON DELETE CASCADE,"
    "  run        INTEGER NOT NULL,"
    "  bytes      INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  path       TEXT NOT NULL,"
    "  kind       TEXT NOT NULL,"
    "  sha256     TEXT NOT NULL"
    ") STRICT;"
    "CREATE INDEX file_task ON file(task);"

    "CREATE TABLE day (" /* since 1970, UTC; of the tasks' creation */
    "  day      INTEGER NOT NULL,"
    "  provider TEXT NOT NULL,"
    "  tasks    INTEGER NOT NULL,"
    "  credits  INTEGER NOT NULL,"
    "  replaced INTEGER NOT NULL," /* callbacks, by looks */
    "  PRIMARY KEY (day, provider)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE tally ("
    "  kind  TEXT NOT NULL," /* task, run */
    "  state INTEGER NOT NULL,"
    "  n     INTEGER NOT NULL,"
    "  PRIMARY KEY (kind, state)"
    ") STRICT, WITHOUT ROWID;"
    "PRAGMA application_id = " TEXT_OF(SCHEMA_APPLICATION_ID) ";"
    "PRAGMA user_version = 1;";
/* clang-format on */

const struct schema schema_current = {.version = 1, .create = version_1};
