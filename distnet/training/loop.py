"""A ``fit`` under way: epochs of global batches, the same result on any number of ranks, whatever interrupts it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

from distnet import config
from distnet.callbacks import CallbackList, History, ProgbarLogger
from distnet.callbacks.console import say
from distnet.comm.scope import alone, communicator
from distnet.errors import Preempted
from distnet.logs import NamedLogs
from distnet.optimizers.base import changes
from distnet.parallel import replicas
from distnet.saving import background
from distnet.training.agreement import facts
from distnet.training.cursor import Resumption, state_of
from distnet.training.evaluation import count_batches, run_evaluation
from distnet.training.fit_arguments import Fit, validates
from distnet.training.hooks import Hooks
from distnet.training.inputs import naming, verbosity
from distnet.training.objective import Log, Objective, Totals
from distnet.training.preemption import StopSignals
from distnet.training.step import TrainingSteps
from distnet.training_state import CallbackRecord, Moment, Progress, Stage


class Training:
    """Trains as a ``Fit`` says, from its beginning or from where a file ends.

    Everything happens at a ``Moment``. Where training is resumed, what lies before the file's moment is left
    out, and the hook under way at that moment is called on the callbacks whose turn was yet to come.

    Args:
        fit: what to do.
        objective: what to minimize and measure.
        resumption: the file to go on from.

    Raises:
        CheckpointError: the file was saved within an epoch that cannot go on here.
    """

    def __init__(self, fit: Fit, objective: Objective, resumption: Resumption | None) -> None:
        self.fit, self.model, self.ranks = fit, fit.model, communicator()
        self.resumption = resumption
        self.start = None if resumption is None else resumption.progress
        self.length = fit.steps
        self.logs: dict[str, Any] = {}
        self.totals = Totals(objective)
        if self.start is not None:
            known = self.start.facts.get("steps")
            self.length = known if fit.steps is None and isinstance(known, int) else fit.steps
            self.logs = NamedLogs(self.start.logs)
        if resumption is not None:
            resumption.check(self.facts, objective.entries)
        if resumption is not None and self.start is not None and self.model.optimizer is not None:
            resumption.check_optimizer(self.model.optimizer)
            self.model.optimizer.configure(self.start.optimizer)
        self._check_validation()
        self._agree()
        self.steps = TrainingSteps(self.model, objective, self.ranks)
        self.moment = Moment(self._first_epoch(), 0, Stage.START)
        self._pending: Collection[int] = ()
        self._is_stepping = False
        self._note_drawn()

    @property
    def facts(self) -> dict[str, Any]:
        """What the place in an epoch depends on, by name."""
        return {**self.fit.train.facts, "steps": self.length}

    def run(self) -> History:
        """Train; return the record, once the checkpoints stand.

        Raises:
            Preempted: the job was told to end; the training is saved.
        """
        try:
            return self._run()
        finally:
            background.finish()

    def _run(self) -> History:
        fit, model = self.fit, self.model
        replicas.broadcast_weights(self.ranks, model.variables)
        verbose = verbosity(fit.options.verbose)
        if verbose and self.ranks.size > 1 and self.ranks.rank == 0:
            _announce(self.ranks.size, self.ranks.blas_threads)
        self._begin_record()
        history = History()
        self.hooks = Hooks(self.ranks, model, CallbackList([*fit.options.callbacks, ProgbarLogger(verbose)]))
        history.set_model(model)
        history.set_params({"verbose": verbose, "epochs": fit.options.epochs, "steps": self.length})
        self.hooks.attach(history.params)
        model.stop_training = False
        model.history = history
        can_leave = self.ranks.broadcast_object(self._backup() is not None)
        with self._observed(), StopSignals(can_leave) as self.signals:
            self._begin()
            self._train()
        model.training_state.fits += 1
        return history

    def _agree(self) -> None:
        """Fail unless every rank trains the same: the ranks may then lay out memory together."""
        fit = self.fit
        here = facts(self.model, fit.train, fit.validation, fit.options, self.length)
        replicas.compare(self.ranks, {**here, "the moment to go on from": self.start and self.start.moment})

    def _begin(self) -> None:
        """Call the first hook; let data and callbacks go on from the file, where there is one."""
        self.hooks.call("on_train_begin")
        if self.resumption is not None and self.start is not None:
            if self.hooks.is_root:
                self._pending, is_complete = self.resumption.hand_out(self.hooks.callbacks)
                self.model.stop_training |= self.start.is_stopped and is_complete
            train, validation = self.start.drawn
            self.fit.train.skip(train)
            if self.fit.validation is not None:
                self.fit.validation.skip(validation)
        self._note_drawn()
        self.hooks.share()
        self.model.training_state.observe = self.observe

    def _train(self) -> None:
        has_ended = self.model.stop_training and self.start is not None and self.start.moment.stage is Stage.AFTER
        first = self._first_epoch()
        for epoch in range(first, first if has_ended else self.fit.options.epochs):
            self._epoch(epoch)
            if self.model.stop_training:
                break
        epochs = self.model.training_state.epochs
        self.moment = Moment(epochs[-1] if epochs else first - 1, 0, Stage.AFTER)
        self.steps.optimizer.finalize_variable_values(self.steps.store)
        background.finish()  # callbacks may now delete or read what they wrote
        self.hooks.call("on_train_end", self.logs)
        background.finish()
        self.hooks.share()

    def _epoch(self, epoch: int) -> None:
        self.moment = Moment(epoch, 0, Stage.BEGIN)
        self._call("on_epoch_begin", epoch)
        self.hooks.share()
        done = self._restore_totals()
        if not self._has_passed(Stage.BATCH_BEGIN, done):
            done = self._batches(done)
            self._notice_the_end(done)
            self._note_drawn()
            if not done:
                return
        if not self._has_passed(Stage.VALIDATION, done):
            self.moment = Moment(epoch, done, Stage.VALIDATION)
            self.logs = self.totals.logs() | self._validate()
            self._note_drawn()
        self.moment = Moment(epoch, done, Stage.END)
        state = self.model.training_state
        state.record(epoch, self.logs)
        self._call("on_epoch_end", epoch, self.logs)
        self.logs = self.hooks.share(self.logs)
        state.record(epoch, self.logs)  # anew, with what callbacks added
        if config.checks_replicas():
            replicas.compare_weights(self.ranks, self.steps.store.buffer)

    def _batches(self, done: int) -> int:
        """Train the rest of the epoch's batches, after the first ``done``; return how many are done then."""
        epoch, model, hooks = self.moment.epoch, self.model, self.hooks
        if done:
            self._end_batch(done)
            if model.stop_training and self.start is not None and self.start.moment.stage is Stage.BATCH_END:
                return done
        for batch in self.fit.train.epoch(epoch, self.length, model.training_state.seed, done):
            self.moment = Moment(epoch, done, Stage.BATCH_BEGIN)
            if hooks.follows_batches:
                self._call("on_train_batch_begin", done)
                hooks.share_after_batch()
            self._is_stepping = True
            result = self.steps.train(batch, self.signals.received is not None)
            model.stop_training = model.stop_training or result.stop
            self.totals.add(result.loss, batch.global_rows, result.sums)
            self._note_drawn()
            done += 1
            self._is_stepping = False
            self._end_batch(done)
            if result.leave:
                self._leave()
            if model.stop_training:
                break
        return done

    def _end_batch(self, done: int) -> None:
        self.moment = Moment(self.moment.epoch, done, Stage.BATCH_END)
        if self.hooks.is_root:
            self._call("on_train_batch_end", done - 1, self.totals.logs())
        self.hooks.share_after_batch()

    def _backup(self) -> Callable[[], str] | None:
        """What saves the training at once and tells where: a callback's ``save_now``, or into the file resumed from."""
        for callback in self.fit.options.callbacks:
            if hasattr(callback, "save_now"):
                save: Callable[[], str] = callback.save_now
                return save
        return None if self.resumption is None else self.resumption.save_now(self.model)

    def _leave(self) -> None:
        """Save the training and end the program, on all ranks."""
        backup = self._backup()
        if self.ranks.rank == 0 and backup is not None:
            with alone():
                path = backup()
                background.finish()
            name = "" if self.signals.received is None else f" by {self.signals.received.name}"
            say(
                f"\ndistnet: the job was told to end{name}: its training is saved in {path}, at epoch "
                f"{self.moment.epoch + 1}, step {self.moment.batches}. Start it again to go on; exit code "
                f"{Preempted.EXIT_CODE}."
            )
        self.ranks.meet("the end of training")
        raise Preempted

    def _call(self, hook: str, *args: Any) -> None:
        """Call a hook of this moment on the callbacks that were not called on before an interruption."""
        only: Collection[int] | None = None
        if self.start is not None and self.moment <= self.start.moment:
            only = self._pending if self.moment == self.start.moment else ()
        self.hooks.call(hook, *args, only=only)

    def _has_passed(self, stage: Stage, done: int) -> bool:
        """Whether the file to go on from is of a later moment."""
        return self.start is not None and Moment(self.moment.epoch, done, stage) < self.start.moment

    def _restore_totals(self) -> int:
        """Begin the epoch's sums, or go on with the file's; return the number of batches in them."""
        self.totals = self.model.totals = Totals(self.totals.objective)
        if self.start is None or self.start.moment.epoch != self.moment.epoch:
            return 0
        if self.start.moment.is_within_epoch:
            self.totals.loss_rows, self.totals.rows = self.start.loss_rows, self.start.rows
            self.totals.sums = self.start.sums.copy()
        return self.start.moment.batches

    def _first_epoch(self) -> int:
        if self.resumption is None:
            return self.fit.options.initial_epoch
        if self.start is not None:
            return self.start.moment.epoch + (self.start.moment.stage is Stage.AFTER)
        epochs = self.model.training_state.epochs
        return epochs[-1] + 1 if epochs else self.fit.options.initial_epoch

    def _begin_record(self) -> None:
        """A new record, unless this training goes on where the model's record ends."""
        state, first = self.model.training_state, self.fit.options.initial_epoch
        goes_on = self.resumption is not None or bool(first and state.epochs and state.epochs[-1] == first - 1)
        # Copies: the History of the training before keeps what it was.
        state.epochs = list(state.epochs) if goes_on else []
        state.history = {key: list(values) for key, values in state.history.items()} if goes_on else {}

    def _note_drawn(self) -> None:
        """Remember what was taken from the data; what is taken from here on is taken anew after an interruption."""
        validation = self.fit.validation
        self.drawn = self.fit.train.drawn, (0, 0) if validation is None else validation.drawn

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

    def _check_validation(self) -> None:
        """Refuse targets that the loss cannot measure now, not after the first epoch."""
        if self.fit.validation is not None:
            count_batches(self.fit.validation, self.fit.options.validation_steps, "validation_steps")
            with naming("validation_split" if self.fit.options.validation_data is None else "validation_data"):
                self.model.objective(self.fit.validation.sample)

    def _validate(self) -> dict[str, Log]:
        source, options = self.fit.validation, self.fit.options
        if source is None or not validates(self.moment.epoch, options.validation_freq):
            return {}
        batches = count_batches(source, options.validation_steps, "validation_steps")
        found = run_evaluation(self.steps, self.steps.objective, source, batches, self.hooks)
        if not found and self.ranks.rank == 0:
            warnings.warn(
                f"The validation data ran out: epoch {self.moment.epoch + 1} is not validated. Give a generator that "
                "yields validation_steps * epochs batches, or one that never ends and validation_steps.",
                stacklevel=5,
            )
        return {f"val_{key}": value for key, value in found.items()}

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
                state.progress = replace(self.observe(), is_whole=not self._is_stepping)
            state.observe = None

    def observe(self) -> Progress:
        """Where training stands."""
        callbacks, moment = self.hooks.callbacks, self.moment
        if moment.stage is Stage.END:
            self.model.training_state.record(moment.epoch, self.logs)
        given, optimizer = self.fit.optimizer, self.steps.optimizer.settings()
        before = {} if self.start is None else self.start.optimizer
        is_within = moment.is_within_epoch
        return Progress(
            moment=moment,
            facts=self.facts,
            drawn=self.drawn,
            loss_rows=self.totals.loss_rows if is_within else 0.0,
            rows=self.totals.rows if is_within else 0,
            sums=self.totals.sums.copy() if is_within else self.totals.sums[:0],
            logs=dict(self.logs),
            is_stopped=self.model.stop_training,
            optimizer={key: optimizer[key] for key in {**before, **changes(given, optimizer)}},
            callbacks=tuple(
                CallbackRecord(type(callback).__name__, i in callbacks.pending, state_of(callback))
                for i, callback in enumerate(callbacks.callbacks if self.hooks.is_root else ())
            ),
        )


@cache
def _announce(size: int, blas_threads: int | None) -> None:
    """Say it once in a job, however often the model is fitted."""
    say(f"distnet: {size} ranks, {blas_threads} BLAS thread{'' if blas_threads == 1 else 's'} each")
