/**
 * The progress of the sync, in D1. A version keeps two slices that run at once from overwriting
 * each other: the one that is late fails, and its records are read again.
 */

const CREATE = `CREATE TABLE IF NOT EXISTS progress (
  id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, value TEXT NOT NULL,
  finished_at INTEGER, records INTEGER NOT NULL)`;

export class Progress {
  #database;
  #row;

  /** @param {D1Database} database */
  static async load(database) {
    const progress = new Progress();
    progress.#database = database;
    await database.prepare(CREATE).run();
    const empty = { version: 0, value: '{}', finished_at: null, records: 0 };
    progress.#row = (await database.prepare('SELECT * FROM progress').first()) ?? empty;
    return progress;
  }

  /** What `sync` goes on with. */
  get value() {
    return JSON.parse(this.#row.value);
  }

  /** A name for what this slice writes: sorts by time. */
  get run() {
    return new Date().toISOString().replaceAll(/[-:.]/g, '');
  }

  /** Whether a sync is under way, or the last one ended long enough ago. */
  isDue(minutes) {
    const { finished_at: finished } = this.#row;
    return finished === null || Date.now() - finished >= minutes * 60_000;
  }

  summary() {
    const { version, finished_at, records } = this.#row;
    const { finished = [] } = this.value;
    return { slices: version, records, finished, finishedAt: finished_at && new Date(finished_at).toISOString() };
  }

  /** @throws If another slice has saved progress since this one was loaded. */
  async save(value, records, isDone = false) {
    const next = {
      version: this.#row.version + 1,
      value: JSON.stringify(value),
      finished_at: isDone ? Date.now() : null,
      records: this.#row.records + records,
    };
    const values = [next.version, next.value, next.finished_at, next.records];
    const statement =
      this.#row.version === 0
        ? this.#database.prepare('INSERT OR IGNORE INTO progress VALUES (1, ?, ?, ?, ?)').bind(...values)
        : this.#database
            .prepare('UPDATE progress SET version = ?, value = ?, finished_at = ?, records = ? WHERE version = ?')
            .bind(...values, this.#row.version);
    const { meta } = await statement.run();
    if (meta.changes !== 1) throw new Error('another slice has run meanwhile; this one counts as not run');
    this.#row = next;
  }
}
