"""HTTP deliveries per second, for bench.py: to nginx on this machine, over kept connections.

SPDX-License-Identifier: MIT
"""
import statistics


def measure(args, tools):
    """tools: bench.py's own. All runs wait already; each is a commit's claim and a commit's outcome."""
    count, rates = args.deliveries, []
    with tools.nginx() as (plain, _):
        hook = {"name": "tell", "http": {"url": f"http://127.0.0.1:{plain}/{{task.id}}"}, "concurrency": 64}
        for _ in range(args.rounds):
            tools.fill(tools.WORK / "tell.db", count, tools.WORK / "tell.keys", "tell")
            with tools.daemon("tell", tools.WORK / "tell.db", [hook], runs=64) as (_, _, _, call):
                rates.append(count / tools.wait_runs(call, count))
    return statistics.median(rates)


def show(rate, args):
    print(f"- HTTP deliveries, {args.deliveries:,} that wait, 64 at once, keep-alive: {rate:,.0f}/s (reach 3,000)")
