// What something takes, as a median of many times, one after the other.

/** Prints the median time of each way, measured in turns. */
export async function medians(ways: Record<string, () => Promise<unknown>>, times = 400): Promise<void> {
  const taken = new Map<string, number[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < times; round++) {
    for (const [name, run] of Object.entries(ways)) {
      const begun = process.hrtime.bigint();
      await run();
      taken.get(name)!.push(Number(process.hrtime.bigint() - begun) / 1e6);
    }
  }
  for (const [name, all] of taken) {
    const sorted = all.sort((a, b) => a - b);
    console.log(`COST ${name}: ${sorted[Math.floor(sorted.length / 2)]!.toFixed(2)} ms`);
  }
}
