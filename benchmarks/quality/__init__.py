"""The parts of `benchmarks.reply_quality`."""
