"""The slow truth of causal scrubbing, one prompt and one edge at a time; see `Scrub`.

Written from the definition: whoever reads a sender has it run, whole model, on a prompt of its own.
"""

from functools import cache

from hooked_oracle import EVERYWHERE, Put
from interventions_oracle import Row

from pytest_circuits.nodes import Receiver


class Scrubbed:
    """Row i of a dataset under a `Scrub`. `runs` counts the forward passes."""

    def __init__(self, truth, task, under, i):
        self.truth, self.task, self.under, self.i = truth, task, under, i
        self.runs = 0
        self.output = cache(self.output)

    def reading(self, distribution, receiver):
        """The run on this prompt that a receiver reads (None: the logits)."""
        row = self.row(distribution)
        puts = [
            Put("z", layer, EVERYWHERE, row.reference(self.under.reference, "z", layer))
            for layer in row.layers
        ]
        for sender in self.under.senders(receiver):
            other = self.task.varied(distribution, self.under.kept(sender))
            place = row.pos(sender), sender.head.index
            puts.append(Put("z", sender.head.layer, place, self.output(other, sender)))
        return self.run(row, puts)

    def output(self, distribution, node):
        """A sender's output at its position on this prompt, its own inputs scrubbed."""
        row, layer, head = self.row(distribution), node.head.layer, node.head.index
        places = {
            "q": (row.pos(node), head),
            "k": (slice(None), row.kv(node)),
            "v": (slice(None), row.kv(node)),
        }
        puts = []
        for channel, where in places.items():
            read = self.reading(distribution, Receiver(node, channel)).at(channel, layer)
            puts.append(Put(channel, layer, where, read[where]))
        return self.run(row, puts).attended[layer][row.pos(node), head]

    def row(self, distribution):
        return Row(self.truth, distribution, self.i)

    def run(self, row, puts):
        self.runs += 1
        return row.run(puts)

    def answers(self, distribution="IOI"):
        """The logits at END of the row's own answer and foil."""
        prompts = self.truth.dataset.distribution(distribution)
        run = self.reading(distribution, None)
        logits = run.logits[prompts.positions["END"][self.i]]
        return [float(logits[prompts.answers[self.i]]), float(logits[prompts.foils[self.i]])]
