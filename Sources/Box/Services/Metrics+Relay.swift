import BoxRelay
import TURN

extension Metrics {
    mutating func add(_ relay: RelayCounters) {
        let turn = relay.turn
        add("stun_answers_total", "STUN Binding requests answered.", relay.bindings)
        add("turn_allocations", "TURN allocations at present.", relay.allocations)
        add("turn_allocations_total", "TURN allocations made.", turn.allocations)
        let directions = [
            (
                "to_peer", turn.packetsToPeers &- turn.packetsBetweenClients,
                turn.octetsToPeers &- turn.octetsBetweenClients
            ),
            (
                "from_peer", turn.packetsToClients &- turn.packetsBetweenClients,
                turn.octetsToClients &- turn.octetsBetweenClients
            ),
            ("between_clients", turn.packetsBetweenClients, turn.octetsBetweenClients),
        ]
        add(
            "turn_packets_total", "Packets relayed.",
            directions.map { ("direction=\"\($0.0)\"", $0.1) })
        add(
            "turn_bytes_total", "Bytes of application data relayed.",
            directions.map { ("direction=\"\($0.0)\"", $0.2) })
        add(
            "turn_refused_total", "STUN and TURN requests and packets refused or dropped.",
            TURNRefusal.allCases.map { ("cause=\"\($0.rawValue)\"", turn[$0]) } + [
                ("cause=\"oversized\"", relay.oversized), ("cause=\"unaddressed\"", relay.unaddressed),
                ("cause=\"send_buffer_full\"", relay.sendBufferFull), ("cause=\"send_refused\"", relay.sendRefused),
            ])
    }
}
