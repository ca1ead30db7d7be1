"""Runs the emitter: what it said, its process id and the time it took."""

import os
import subprocess
import time

import expected
from collector import Failed

SECONDS = 120


def environment(**more):
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OTLOG_", "MITO_"))}
    return {**clean, **expected.ENVIRONMENT, **more}


class Emitted:
    """A whole run."""

    def __init__(self, program, arguments, variables):
        self.start = time.time_ns()
        process = subprocess.Popen([program, *arguments], env=variables, stdout=subprocess.PIPE, text=True)
        try:
            self.output = process.communicate(timeout=SECONDS)[0].splitlines()
        finally:
            process.kill()
            process.wait()
        self.end = time.time_ns()
        self.process_id = process.pid
        if process.returncode != 0:
            raise Failed(f"the emitter ended with status {process.returncode}, output {self.output[-10:]}")


class Burst(Emitted):
    """Numbered records from several threads: each one's verdict, and the books."""

    def __init__(self, program, per_thread, threads, variables):
        super().__init__(program, ["burst", str(per_thread), str(threads)], variables)
        self.refused = set()
        self.books = {}
        for line in self.output[:-1]:
            name, *numbers = line.split()
            if name == "refused":
                self.refused.add(tuple(map(int, numbers)))
            else:
                self.books[name] = int(numbers[0])
        self.result = self.output[-1]
        self.emitted = {(thread, sequence) for thread in range(threads) for sequence in range(per_thread)}
        self.accepted = self.emitted - self.refused
        if len(self.accepted) != self.books["accepted"]:
            raise Failed(f"{self.books['accepted']} records accepted, but {len(self.refused)} refused")


class Stream:
    """A run that does as it is told, and is killed at the end of the block if it has not ended."""

    def __init__(self, program, variables):
        self.process = subprocess.Popen(
            [program, "stream"], env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def answer(self):
        return self.process.stdout.readline().strip()

    def ask(self, command):
        self.tell(command)
        return self.answer()

    def finish(self):
        """The result of its shutdown."""
        return self.process.communicate(timeout=SECONDS)[0].strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()
