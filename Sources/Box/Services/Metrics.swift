import BoxRelay
import BoxWeb
import PeerBroker
import TURN

/// The figures of `/metrics`, in the text format of Prometheus (version 0.0.4).
struct Metrics {
    private(set) var text = ""

    /// Adds one figure.
    /// - Parameters:
    ///   - name: without the common prefix; a counter's ends in `_total`.
    ///   - help: what it counts.
    ///   - values: a value for each label set; no label for a figure that stands alone.
    mutating func add(_ name: String, _ help: String, _ values: [(label: String, value: UInt64)]) {
        let full = "kibitz_" + name
        text += "# HELP \(full) \(help)\n# TYPE \(full) \(name.hasSuffix("_total") ? "counter" : "gauge")\n"
        for (label, value) in values { text += "\(full)\(label.isEmpty ? "" : "{\(label)}") \(value)\n" }
    }

    mutating func add(_ name: String, _ help: String, _ value: some BinaryInteger) {
        add(name, help, [("", UInt64(clamping: value))])
    }

    mutating func add(_ gate: ConnectionGate.Counters) {
        add("connections", "TCP connections that have sent a request.", gate.established)
        add("connections_half_open", "TCP connections that have not yet sent a request.", gate.halfOpen)
        add("connections_accepted_total", "TCP connections accepted.", gate.accepted)
        add(
            "connections_closed_total", "TCP connections closed by the box before they were served.",
            [
                ("cause=\"evicted\"", UInt64(gate.evicted)), ("cause=\"timed_out\"", UInt64(gate.timedOut)),
                ("cause=\"refused\"", UInt64(gate.refused)), ("cause=\"malformed\"", UInt64(gate.malformed)),
            ])
    }

    mutating func add(_ broker: PeerBroker.Snapshot, protocolErrors: UInt64) {
        let counters = broker.counters
        add("people", "People in the room, those away included.", broker.people.count)
        add("people_away", "People whose connection is lost and who may come back.", broker.people.count(where: \.away))
        add("peerjs_clients", "PeerJS clients that are not in the room.", broker.plainClients)
        add("signaling_queued_messages", "Signaling messages that wait for someone.", broker.queuedMessages)
        add("signaling_frames_total", "Signaling messages relayed.", counters.framesRelayed)
        add("signaling_bytes_total", "Bytes of signaling messages relayed.", counters.bytesRelayed)
        add(
            "signaling_dropped_total", "Signaling messages dropped.",
            PeerBroker.DropCause.allCases.map { ("cause=\"\($0.rawValue)\"", counters.drops($0)) })
        add(
            "signaling_refused_total", "Signaling connections turned away.",
            PeerBroker.Refusal.allCases.map { ("cause=\"\($0.rawValue)\"", counters.refusals($0)) })
        add("websocket_errors_total", "WebSockets closed for breaking the protocol.", protocolErrors)
    }

    mutating func add(_ relay: RelayCounters) {
        add("stun_answers_total", "STUN Binding requests answered.", relay.bindings)
        add("turn_allocations", "TURN allocations at present.", relay.allocations)
        add("turn_allocations_total", "TURN allocations made.", relay.turn.allocations)
        // What goes from client to client is relayed once and counted in both directions.
        let turn = relay.turn
        add(
            "turn_packets_total", "Packets relayed.",
            [
                ("direction=\"to_peer\"", turn.packetsToPeers &- turn.packetsBetweenClients),
                ("direction=\"from_peer\"", turn.packetsToClients &- turn.packetsBetweenClients),
                ("direction=\"between_clients\"", turn.packetsBetweenClients),
            ])
        add(
            "turn_bytes_total", "Bytes of data in those packets.",
            [
                ("direction=\"to_peer\"", turn.octetsToPeers &- turn.octetsBetweenClients),
                ("direction=\"from_peer\"", turn.octetsToClients &- turn.octetsBetweenClients),
                ("direction=\"between_clients\"", turn.octetsBetweenClients),
            ])
        add(
            "turn_refused_total", "STUN and TURN requests and packets refused or dropped.",
            TURNRefusal.allCases.map { ("cause=\"\($0.rawValue)\"", relay.turn[$0]) } + [
                ("cause=\"oversized\"", relay.oversized), ("cause=\"unaddressed\"", relay.unaddressed),
                ("cause=\"send_buffer_full\"", relay.sendBufferFull), ("cause=\"send_refused\"", relay.sendRefused),
            ])
    }
}
