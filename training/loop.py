"""The training loop. What a step does is in `step.py`, what the loop calls in `run.py`."""

from training import result
from training.run import Run
from training.step import train_step


def train(run: Run) -> bool:
    """Trains to the last step, or until the run is asked to stop. Whether it came to the last step."""
    for batch in run.batches():
        metrics = train_step(run.state, batch)
        validation_loss = run.validate() if run.is_due(run.config.validation.every_steps) else None
        run.report(metrics, validation_loss)
        if run.is_due_to_export():  # before the checkpoint, from which the run would go on without it
            result.export(run)
        stopping = run.is_asked_to_stop()
        if stopping or run.is_due(run.config.checkpoints.every_steps):
            run.save()
        if stopping:
            break
    return run.is_finished()
