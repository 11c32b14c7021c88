"""What clusters counted over time: samples, rolled up as they get older, within a bounded size."""
