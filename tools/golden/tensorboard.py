"""Records of event files, as TensorBoard's own writer makes them, for crates/report/src/tensorboard.rs.

    python tools/golden/tensorboard.py

needs the package `tensorboard` (the figures are from 2.21) and writes crates/report/tests/golden/tensorboard.json.
"""

import io
import json
import pathlib
import sys

# Or the name of this file would be the package's.
sys.path = [path for path in sys.path if pathlib.Path(path or ".").resolve() != pathlib.Path(__file__).resolve().parent]

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def record(event):
    class Kept(io.BytesIO):
        def close(self):
            pass

    file = Kept()
    RecordWriter(file).write(event.SerializeToString())
    return file.getvalue().hex()


def hparams(tag, data):
    data = plugin_data_pb2.HParamsPluginData(version=0, **data).SerializeToString()
    plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=data)
    value = Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin))
    return Event(wall_time=5.0, step=0, summary=Summary(value=[value]))


experiment = api_pb2.Experiment(
    time_created_secs=5.0,
    hparam_infos=[
        api_pb2.HParamInfo(name="lr", type=api_pb2.DATA_TYPE_STRING),
        api_pb2.HParamInfo(name="epochs", type=api_pb2.DATA_TYPE_FLOAT64),
        api_pb2.HParamInfo(name="network.mlp.batch-norm", type=api_pb2.DATA_TYPE_BOOL),
    ],
    metric_infos=[
        api_pb2.MetricInfo(name=api_pb2.MetricName(tag=tag))
        for tag in ["loss/validation", "loss/training", "metrics/accuracy"]
    ],
)
session = plugin_data_pb2.SessionStartInfo(start_time_secs=5.0)
session.hparams["lr"].string_value = "cosine(0.1)"
histogram = HistogramProto(
    min=-1.0, max=2.0, num=8, sum=2.0, sum_squares=2.5, bucket_limit=[0.0, 0.5, 2.0], bucket=[3, 0, 5]
)
events = {
    "version": Event(wall_time=1.5, file_version="brain.Event:2"),
    "session": Event(wall_time=2.5, step=300, session_log=SessionLog(status=SessionLog.START)),
    "scalars": Event(
        wall_time=3.25,
        step=70_000,
        summary=Summary(
            value=[Summary.Value(tag="loss/training", simple_value=0.125), Summary.Value(tag="zero", simple_value=0)]
        ),
    ),
    "histogram": Event(
        wall_time=4.0, step=1, summary=Summary(value=[Summary.Value(tag="weights/0.weight", histo=histogram)])
    ),
    "experiment": hparams("_hparams_/experiment", {"experiment": experiment}),
    "session_start": hparams("_hparams_/session_start_info", {"session_start_info": session}),
}
path = pathlib.Path(__file__).parents[2] / "crates/report/tests/golden/tensorboard.json"
path.write_text(json.dumps({name: record(event) for name, event in events.items()}, indent=1) + "\n")
