// BoxState
