"""Whether the tests would notice a fault: code is changed at one place at a time, and the tests of it are run."""
