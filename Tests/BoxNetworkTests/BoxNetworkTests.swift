// BoxNetwork
