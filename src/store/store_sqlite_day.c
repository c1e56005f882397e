/*
 * What each day cost at each provider. Kept for good, also when its tasks are pruned.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store/store_sqlite.h"

#include <sqlite3.h>

int sqlite_day_add(struct store *base, const struct store_day *add, struct err *err)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_DAY_ADD];

    sqlite3_bind_int64(q, 1, add->day);
    sql_bind_text(q, 2, add->provider);
    sqlite3_bind_int64(q, 3, add->tasks);
    sqlite3_bind_int64(q, 4, add->credits);
    sqlite3_bind_int64(q, 5, add->replaced);
    return sql_write(s, SQL_DAY_ADD, NULL, err);
}

int sqlite_day_list(struct store *base, int64_t since_day, store_on_day *fn, void *ctx)
{
    struct sqlite_store *s = sqlite_of(base);
    struct sqlite3_stmt *q = s->statements[SQL_DAY_LIST];
    int rc;

    sqlite3_bind_int64(q, 1, since_day);
    while ((rc = sql_next(s, SQL_DAY_LIST)) > 0) {
        struct store_day day = {.day = sqlite3_column_int64(q, 0),
                                .provider = sql_text(q, 1),
                                .tasks = sqlite3_column_int64(q, 2),
                                .credits = sqlite3_column_int64(q, 3),
                                .replaced = sqlite3_column_int64(q, 4)};

        if (fn(&day, ctx) != 0)
            break;
    }
    sql_done(s, SQL_DAY_LIST);
    return rc < 0 ? rc : 0;
}
