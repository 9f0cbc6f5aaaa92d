"""A ``fit`` under way: epochs of global batches, the same result on any number of ranks, whatever interrupts it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from functools import partial
from typing import Any

from distnet import config
from distnet.callbacks import CallbackList, History, ProgbarLogger
from distnet.callbacks.console import announce
from distnet.comm import Communicator
from distnet.comm.scope import communicator
from distnet.comm.threads import one_blas_thread
from distnet.data.batch import Batch
from distnet.logs import NamedLogs
from distnet.optimizers.changed_settings import changes
from distnet.parallel import replicas
from distnet.parallel.exchange import StepSums
from distnet.parallel.realigning import realign
from distnet.saving import background
from distnet.training.agreement import alike_on_ranks, compared_data, facts, states_of
from distnet.training.cursor import Cursor
from distnet.training.epoch_counts import EpochCounts
from distnet.training.evaluation import check_validation, validate
from distnet.training.fit_arguments import Fit
from distnet.training.hooks import Hooks
from distnet.training.inputs import verbosity
from distnet.training.kept_steps import KeptSteps, take_steps
from distnet.training.objective import Objective
from distnet.training.own_steps import OwnObjective, OwnSteps, own_steps_of
from distnet.training.preemption import StopSignals, leave
from distnet.training.profiling import profiling_of
from distnet.training.resumption import Resumption, note_shards
from distnet.training.rows_in_place import feeding_of
from distnet.training.step import TrainingSteps
from distnet.training.survival import survival_of
from distnet.training_state import Progress, Stage


class Training:
    """Trains as a ``Fit`` says, from the start or from where a file stands.

    Args:
        fit: what to do.
        objective: what to minimize and measure.
        resumption: the file to go on from.

    Raises:
        CheckpointError: the file was saved within an epoch that cannot go on here.
    """

    hooks: Hooks

    def __init__(self, fit: Fit, objective: Objective, resumption: Resumption | None) -> None:
        self.fit, self.model, self.ranks = fit, fit.model, communicator()
        realign(self.ranks, self.model)
        self.resumption = resumption
        self.cursor = Cursor.of(resumption, self.model.training_state, fit.options.initial_epoch)
        start = self.cursor.start
        self.length = fit.steps if start is None else start.steps_of_epoch(fit.steps)
        self.logs: dict[str, Any] = {} if start is None else NamedLogs(start.logs)
        if resumption is not None:
            resumption.prepare(self.model.optimizer, self.facts, objective.entries)
        check_validation(fit)
        replicas.compare(
            self.ranks,
            lambda: {
                **facts(self.model, fit.train, fit.validation, fit.options, self.length),
                "the moment to go on from": start and start.moment,
            },
        )
        self.data = compared_data(self.ranks, fit.train, fit.validation)
        self.profiling = profiling_of(fit.options.callbacks, self.ranks)
        self.fit = self.profiling.timed_fit(fit)
        self.kept: KeptSteps | None = None
        """The steps, for the next ``fit``; None of those with clocks around them."""
        self._objective = objective
        self.steps = self.make_steps()
        self.totals, self.counts = objective.totals(), EpochCounts(self.model)
        self.survival = survival_of(self)

    @property
    def facts(self) -> dict[str, Any]:
        """What the place in an epoch depends on, by name."""
        return {**self.fit.train.facts, "steps": self.length}

    def make_steps(self) -> Any:
        """What takes the steps, on the ranks as they are now."""
        return self.profiling.timed_steps(partial(self._steps, self._objective))

    def _steps(self, objective: Any, ranks: Communicator) -> TrainingSteps | OwnSteps:
        """What takes the steps: the model's own methods, or distnet's."""
        if isinstance(objective, OwnObjective):
            return own_steps_of(self.model, objective, ranks)
        kept = take_steps(self.model, objective, ranks, self.resumption is not None or self.profiling.is_on)
        self.kept = None if self.profiling.is_on else kept
        feeding = feeding_of(kept.steps) if self.fit.train.takes_room else None
        if feeding is not None:
            self.fit.train.feed(feeding)
        return kept.steps

    def run(self) -> History:
        """Train; return the record, once the checkpoints stand.

        Raises:
            Preempted: the job was told to end; the training is saved.
        """
        try:
            note_shards(self.model.training_state, self.resumption is not None and self.ranks.rank == 0)
            if self.ranks.size > 1:
                replicas.agree_on_weights(self.ranks, alike_on_ranks(self.model))
            self.steps.forget_draws()
            history = self._attach_callbacks()
            can_leave = self.ranks.broadcast_object(self._backup() is not None)
            checking = self.data.in_background() if config.checks_replicas() else nullcontext()
            with self.profiling.reported(), self._observed(), checking, StopSignals(can_leave) as self.signals:
                self._begin()
                self._train()
            self.model.training_state.fits += 1
            if self.kept is not None:
                self.model.fit_steps = self.kept
            return history
        finally:
            background.finish()

    @one_blas_thread()
    def _train(self) -> None:
        self.survival.run(self._train_to_the_end)

    def _train_to_the_end(self) -> None:
        with self.steps.weights_in_place():
            for epoch in self.cursor.epochs(self.fit.options.epochs, self.model.stop_training):
                self._epoch(epoch)
                if self.model.stop_training:
                    break
        self.cursor.move_to_the_end(self.model.training_state.epochs)
        self.steps.optimizer.finalize_variable_values(self.steps.store)
        background.finish()  # callbacks may now delete or read what they wrote
        if not self.cursor.is_told:
            self.hooks.call("on_train_end", self.logs)
            self.cursor.is_told = self.hooks.is_root
        background.finish()
        self._share()
        self.hooks.share_kept()

    def _epoch(self, epoch: int) -> None:
        cursor, hooks, state = self.cursor, self.hooks, self.model.training_state
        cursor.move(epoch, 0, Stage.BEGIN)
        self._call("on_epoch_begin", epoch)
        self._share()
        done, self.totals = cursor.begin_epoch(epoch, self.totals.objective)
        self.model.totals = self.totals
        if cursor.comes_to(epoch, done, Stage.BATCH_BEGIN):
            done = self._batches(epoch, done)
            self._notice_the_end(done)
            self._note_drawn()
            if not done:
                return
        if cursor.comes_to(epoch, done, Stage.VALIDATION):
            cursor.move(epoch, done, Stage.VALIDATION)
            is_validated = self.fit.validation is not None
            with self.survival.repeatable(), self.counts.kept(self.totals) if is_validated else nullcontext():
                self.logs = self.totals.logs() | validate(self.fit, self.steps, hooks, epoch)
            self._note_drawn()
        cursor.move(epoch, done, Stage.END)
        state.record(epoch, self.logs)
        self._call("on_epoch_end", epoch, self.logs)
        self.logs = self._share(self.logs)
        state.record(epoch, self.logs)  # anew, with what callbacks added
        if self.ranks.size > 1 and config.checks_replicas():
            self.data.compare()
            replicas.compare_weights(self.ranks, self.steps.store, states_of(self.model), self.steps.drawn)

    def _batches(self, epoch: int, done: int) -> int:
        """Train the rest of the epoch's batches, after the first ``done``; return how many are done then."""
        cursor, model, hooks, ranks = self.cursor, self.model, self.hooks, self.ranks
        self.acts_after_batches = hooks.is_root and hooks.callbacks.acts_after_batches
        self.reads_batch_logs = self.acts_after_batches and hooks.callbacks.reads_batch_logs
        self.notes_draws = self.survival.is_on or not self.fit.train.has_addresses
        if done:  # the file's last step is done; its hook may not be
            self._end_batch(epoch, done)
            if model.stop_training and cursor.starts_at(Stage.BATCH_END):
                return done
        with closing(self.fit.train.epoch(epoch, self.length, model.training_state.seed, done)) as batches:
            for batch in batches:
                cursor.move(epoch, done, Stage.BATCH_BEGIN)
                if hooks.follows_batches:
                    self._call("on_train_batch_begin", done)
                    self._share_after_batch()
                sums = self._step(batch)
                done += 1
                self._end_batch(epoch, done)
                if ranks.size > 1 and sums.have_read == ranks.size:
                    self.data.compare()
                if sums.leave:
                    leave(self.ranks, self._backup(), cursor.moment, self.signals.received)
                if model.stop_training:
                    break
        return done

    def _step(self, batch: Batch) -> StepSums:
        """Take a step, and count it."""
        self.cursor.is_stepping = True
        is_elastic = self.survival.is_on
        if is_elastic:
            self.survival.begin()
        sums: StepSums = self.steps.train(batch, self.signals.received is not None, self.data.is_read)
        if sums.stop:
            self.model.stop_training = True
        self.totals.add(sums.loss, batch.global_rows, sums.measured)
        if self.notes_draws:
            self._note_drawn()
        if is_elastic:
            self.survival.end_step()
        return sums

    def _end_batch(self, epoch: int, done: int) -> None:
        self.cursor.move(epoch, done, Stage.BATCH_END)
        self.cursor.is_stepping = False
        if self.acts_after_batches:
            self._call("on_train_batch_end", done - 1, self.totals.logs() if self.reads_batch_logs else {})
        if self.hooks.follows_batches:
            self._share_after_batch()

    def _call(self, hook: str, *args: Any) -> None:
        """Call this moment's hook on the callbacks that it had not yet reached before an interruption."""
        self.hooks.call(hook, *args, only=self.cursor.callbacks)
        self.cursor.is_told |= self.hooks.is_root

    def _share(self, logs: dict[str, Any] | None = None) -> dict[str, Any]:
        """Share what this moment's hook changed; return rank 0's logs."""
        of_root = self.hooks.share(logs)
        self.cursor.is_told = True
        return of_root

    def _note_told(self, logs: dict[str, Any]) -> None:
        self.cursor.is_told = True
        self.logs = logs or self.logs

    def _share_after_batch(self) -> None:
        self.hooks.share_after_batch()
        self.cursor.is_told = True

    def _note_drawn(self) -> None:
        """Remember what was taken from the data; what is taken from here on is taken anew after an interruption."""
        validation = self.fit.validation
        self.cursor.drawn = self.fit.train.drawn, (0, 0) if validation is None else validation.drawn
        self.survival.keep()

    def _notice_the_end(self, made: int) -> None:
        """Stop, with a warning, where the data ended before the epoch; a generator's first epoch sets its length.

        Source: ``keras.Model.fit``.
        """
        if self.length is None and made:
            self.length = made
        elif made < (self.length or 1) and not self.model.stop_training:
            self.model.stop_training = True
            if self.ranks.rank == 0:
                warnings.warn(
                    f"The data ran out after {made} of {self.length} steps of the epoch: training stops. Give a "
                    "generator that yields steps_per_epoch * epochs batches.",
                    stacklevel=5,
                )

    def _attach_callbacks(self) -> History:
        """Hand the callbacks the model, and make the record, which a training that goes on from a file continues."""
        fit, model, verbose = self.fit, self.model, verbosity(self.fit.options.verbose)
        if verbose and self.ranks.size > 1 and self.ranks.rank == 0:
            announce(self.ranks.size, self.ranks.blas_threads)
        model.training_state.begin_record(self.resumption is not None)
        history = History()
        callbacks = CallbackList([*fit.options.callbacks, ProgbarLogger(verbose)])
        self.hooks = Hooks(self.ranks, model, callbacks, self._note_told if self.survival.is_on else None)
        history.set_model(model)
        history.set_params({"verbose": verbose, "epochs": fit.options.epochs, "steps": self.length})
        self.hooks.attach(history.params)
        self.hooks = self.profiling.timed_hooks(self.hooks)
        model.stop_training = False
        model.history = history
        return history

    def _begin(self) -> None:
        """Call the first hook; let data and callbacks go on from the file, where there is one."""
        self.hooks.call("on_train_begin")
        if self.resumption is not None:
            self.cursor.pending = self.resumption.go_on(self.fit, self.hooks)
        self._note_drawn()
        self.hooks.share()
        self.model.training_state.observe = self.observe

    def _backup(self) -> Callable[[], str] | None:
        """What saves the training at once and tells where: a callback's ``save_now``, or into the file resumed from."""
        for callback in self.fit.options.callbacks:
            if hasattr(callback, "save_now"):
                save: Callable[[], str] = callback.save_now
                return save
        return None if self.resumption is None else self.resumption.save_now(self.model)

    @contextmanager
    def _observed(self) -> Iterator[None]:
        """Within the block, a file that is saved holds where training stands; afterwards, where it ended."""
        state = self.model.training_state
        if self.resumption is None:
            state.progress, state.observe = None, self.observe
        try:
            yield
        finally:
            if state.observe is not None:
                state.progress = self.observe(is_whole=not self.cursor.is_stepping)
            state.observe = None

    def observe(self, is_whole: bool = True) -> Progress:
        """Where training stands; see ``Progress`` for the argument."""
        start = self.cursor.start
        optimizer = self.steps.optimizer.settings()
        changed = {**({} if start is None else start.optimizer), **changes(self.fit.optimizer, optimizer)}
        return Progress(
            moment=self.cursor.moment,
            facts=self.facts,
            drawn=self.cursor.drawn,
            **(self.counts.so_far(self.totals) if self.cursor.moment.is_within_epoch else {}),
            logs=dict(self.logs),
            is_stopped=self.model.stop_training,
            is_whole=is_whole,
            optimizer={key: optimizer[key] for key in changed},
            callbacks=self.hooks.records(),
        )
