"""Counters of topics that an operator picked."""

from rookery.broker.topic_metrics.service import TOPICS_MAX, TopicMetric, TopicMetrics

__all__ = ["TOPICS_MAX", "TopicMetric", "TopicMetrics"]
