// PeerBroker
