"""The slow truth of every intervention, one prompt at a time; see `pytest_circuits.interventions`.

Written from the definitions, as plainly as possible: an intervention becomes a list of `Put`, or
several runs of the whole model one after the other. Nothing is shared with the engine but
`partners`, which *is* the definition of the random draw.
"""

from functools import cache, lru_cache

import torch
from hooked_oracle import EVERYWHERE, Put

from pytest_circuits.engine.references import partners
from pytest_circuits.interventions import Ablation, PathPatch
from pytest_circuits.nodes import Node


class Truth:
    """Runs of one dataset's rows under interventions. `seed` is that of the drawing.

    What a run leaves behind is kept for the next question about it: do not change it.
    """

    def __init__(self, oracle, dataset, seed):
        self.oracle = oracle
        self.dataset = dataset
        self.seed = seed
        self.plain = cache(self._plain)
        self.run = lru_cache(maxsize=64)(self._run)

    def _plain(self, distribution, i):
        return self.oracle.run(self.dataset.distribution(distribution).ids[i])

    def _run(self, i, under=None, distribution="IOI"):
        """Row i of a distribution under an intervention."""
        if under is None:
            return self.plain(distribution, i)
        row = Row(self, distribution, i)
        if isinstance(under, Ablation):
            return row.run(row.ablated(under))
        return row.path_patched(under) if isinstance(under, PathPatch) else row.only_edges(under)

    def answers(self, i, under=None, distribution="IOI"):
        """The logits at END of the answer and of the foil."""
        prompts = self.dataset.distribution(distribution)
        logits = self.run(i, under, distribution).logits[prompts.positions["END"][i]]
        return [float(logits[prompts.answers[i]]), float(logits[prompts.foils[i]])]

    def reference(self, to, kind, layer, distribution, i):
        """What replaces a whole activation of row i."""
        if to.kind == "zero":
            return torch.zeros_like(self.plain(distribution, i).at(kind, layer))
        source = self.dataset.distribution(to.over)
        if to.kind == "mean":
            rows = [j for j, group in enumerate(source.groups) if group == source.groups[i]]
            return torch.stack([self.plain(to.over, j).at(kind, layer) for j in rows]).mean(0)
        j = {"resample": partners(source, self.seed)[i], "counterpart": i}[to.kind]
        return self.plain(to.over, j).at(kind, layer)


class Row:
    """One prompt and what can be done to it."""

    def __init__(self, truth, distribution, i):
        self.truth, self.distribution, self.i = truth, distribution, i
        self.oracle = truth.oracle
        self.prompts = truth.dataset.distribution(distribution)
        self.length = len(self.prompts.ids[i])
        self.layers = range(self.oracle.n_layers)

    def run(self, puts):
        return self.oracle.run(self.prompts.ids[self.i], puts)

    def pos(self, node):
        return self.prompts.positions[node.at][self.i]

    def reference(self, to, kind, layer):
        return self.truth.reference(to, kind, layer, self.distribution, self.i)

    def kv(self, node):
        return node.head.index // self.oracle.group

    def ablated(self, under):
        """What `under` replaces: first what is given, then its own."""
        puts = self.ablated(under.given) if under.given else []
        if not under.outside:
            return puts + [self.replaced(node, under.reference) for node in under.nodes]
        puts += self.heads_outside(under)
        return puts + (self.mlps_outside(under) if under.mlps_outside else [])

    def replaced(self, node, to):
        """One activation put to its reference."""
        kind, layer, where = self.place(node)
        return Put(kind, layer, where, self.reference(to, kind, layer)[where])

    def place(self, node):
        """Kind, layer and index of an activation; z for a head's output."""
        pos = self.pos(node)
        if isinstance(node, Node):
            return "z", node.head.layer, (pos, node.head.index)
        where = {
            "q": lambda: (pos, node.index),
            "k": lambda: (pos, self.kv(node)),
            "v": lambda: (pos, self.kv(node)),
            "pattern": lambda: (node.index, pos),
            "mlp": lambda: (pos,),
            "resid": lambda: (pos,),
        }[node.kind]()
        return node.kind, node.layer, where

    def heads_outside(self, under):
        named = {self.place(node) for node in under.nodes}
        return [
            Put("z", layer, (pos, head), self.reference(under.reference, "z", layer)[pos, head])
            for layer in self.layers
            for pos in range(self.length)
            for head in range(self.oracle.n_heads)
            if ("z", layer, (pos, head)) not in named
        ]

    def mlps_outside(self, under):
        named = {self.place(node) for node in under.nodes}
        return [
            Put("mlp", layer, (pos,), self.reference(under.reference, "mlp", layer)[pos])
            for layer in self.layers
            for pos in range(self.length)
            if ("mlp", layer, (pos,)) not in named
        ]

    def path_patched(self, under):
        """The base run, the run that records (step C), the run that is read (step D)."""
        given = self.ablated(under.given) if under.given else []
        base = self.run(given)
        frozen = [Put("z", layer, EVERYWHERE, base.z[layer]) for layer in self.layers]
        frozen += [self.replaced(node, under.reference) for node in under.senders]
        if under.mlps == "frozen":
            frozen += [Put("mlp", layer, EVERYWHERE, base.mlp[layer]) for layer in self.layers]
        recorded = self.run(given + frozen)
        if not under.receivers:
            return recorded
        inputs = {}
        for end in under.receivers:
            inputs.setdefault(end.node, {})[end.channel] = recorded
        return self.run(self.received(inputs, given) + given)

    def received(self, inputs, given):
        """The outputs of receivers that read recorded inputs, {node: {channel: run}}.

        Layer by layer, because the channels that are not recorded see the receivers below. What
        is given comes last: an output that is replaced already stays replaced.
        """
        outputs = []
        for node in sorted(inputs):
            outputs += self.output(node, inputs[node], outputs + given)
        return outputs

    def output(self, node, inputs, puts):
        """A head's weights and output at its position if it reads what other runs had there.

        `inputs` are the runs per channel; the channels left out it reads in this run.
        """
        layer, pos = node.head.layer, self.pos(node)
        places = {
            "q": (pos, node.head.index),
            "k": (slice(None), self.kv(node)),
            "v": (slice(None), self.kv(node)),
        }
        read = [
            Put(channel, layer, places[channel], run.at(channel, layer)[places[channel]])
            for channel, run in inputs.items()
        ]
        run, head = self.run(puts + read), node.head.index
        return [
            Put("pattern", layer, (head, pos), run.pattern[layer][head, pos]),
            Put("z", layer, (pos, head), run.attended[layer][pos, head]),
        ]

    def only_edges(self, under):
        """The run that the logits read, every sender's live output found edge by edge."""
        nothing = [
            Put("z", layer, EVERYWHERE, self.reference(under.reference, "z", layer))
            for layer in self.layers
        ]

        def reading(node, channel):
            """The run in which only the senders to this channel (None, None: logits) are live."""
            ends = [edge for edge in under.edges if _end(edge) == (node, channel)]
            return with_live(frozenset(edge.sender for edge in ends))

        @cache
        def with_live(senders):
            return self.run(nothing + [put for sender in senders for put in live(sender)])

        @cache
        def live(node):
            return self.output(node, {channel: reading(node, channel) for channel in "qkv"}, [])

        return reading(None, None)


def _end(edge):
    return (edge.receiver.node, edge.receiver.channel) if edge.receiver else (None, None)
