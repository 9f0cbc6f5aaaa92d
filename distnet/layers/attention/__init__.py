"""Attention layers."""

from __future__ import annotations

from distnet.layers.attention.multi_head_attention import MultiHeadAttention as MultiHeadAttention
from distnet.layers.attention.scored_attention import AdditiveAttention as AdditiveAttention
from distnet.layers.attention.scored_attention import Attention as Attention
