// Its tests follow.
