"""What a process tells about itself: counters, gauges and logs. Knows none of its parts."""
