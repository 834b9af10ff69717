/** Writes records to R2 as compressed JSON lines, one object per stream and part. */

/** A part is written once it has this many characters, which compress to about a tenth. */
const FULL = 8 << 20;

export class Parts {
  #bucket;
  #run;
  #lines = new Map();
  #size = 0;
  total = 0;

  /**
   * @param {R2Bucket} bucket
   * @param {string} run Sorts by time, and is unique.
   */
  constructor(bucket, run) {
    this.#bucket = bucket;
    this.#run = run;
  }

  write(stream, records) {
    const lines = this.#lines.get(stream) ?? [];
    lines.push(...records);
    this.#lines.set(stream, lines);
    this.#size += records.reduce((size, record) => size + record.length + 1, 0);
    this.total += records.length;
  }

  get isFull() {
    return this.#size >= FULL;
  }

  /** Stores what was written. Returns how many records. */
  async flush() {
    let count = 0;
    for (const [stream, lines] of this.#lines) {
      const part = crypto.randomUUID().slice(0, 8);
      const body = new Blob([lines.join('\n'), '\n']).stream().pipeThrough(new CompressionStream('gzip'));
      // R2 wants to know the length beforehand.
      const bytes = await new Response(body).arrayBuffer();
      await this.#bucket.put(`${stream}/${this.#run}-${part}.jsonl.gz`, bytes, {
        httpMetadata: { contentType: 'application/x-ndjson', contentEncoding: 'gzip' },
      });
      count += lines.length;
    }
    this.#lines.clear();
    this.#size = 0;
    return count;
  }
}
