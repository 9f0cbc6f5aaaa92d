"""Recurrent layers, one file each; ``base`` runs any of them over time."""

from __future__ import annotations

from distnet.layers.old_paths import __getattr__ as __getattr__
from distnet.layers.recurrent.base import Recurrent as Recurrent
from distnet.layers.recurrent.bidirectional import Bidirectional as Bidirectional
from distnet.layers.recurrent.conv_lstm import ConvLSTM1D as ConvLSTM1D
from distnet.layers.recurrent.conv_lstm import ConvLSTM2D as ConvLSTM2D
from distnet.layers.recurrent.conv_lstm import ConvLSTM3D as ConvLSTM3D
from distnet.layers.recurrent.gru import GRU as GRU
from distnet.layers.recurrent.gru import CuDNNGRU as CuDNNGRU
from distnet.layers.recurrent.lstm import LSTM as LSTM
from distnet.layers.recurrent.lstm import CuDNNLSTM as CuDNNLSTM
from distnet.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN
