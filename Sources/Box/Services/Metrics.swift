import AccessPoint
import BoxHub
import BoxRelay
import BoxWeb
import DataChannel
import Hub
import PeerBroker
import SCTP
import Stations
import TURN
import WebRTCDirect

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

    mutating func add(_ radio: AccessPointSnapshot) {
        add("wifi_up", "Whether the box's own Wi-Fi is on the air.", radio.state == .up ? 1 : 0)
        add("wifi_stations", "Phones on the Wi-Fi.", radio.stations.count(where: \.isAuthorized))
        add("wifi_starts_total", "Times the Wi-Fi came up.", radio.counters.starts)
        add("wifi_breaks_total", "Times it then broke.", radio.counters.breaks)
        add(
            "wifi_start_milliseconds", "From the last start's beginning to its first beacon.",
            Int(radio.counters.lastStart / .milliseconds(1)))
        // What follows counts from the last start.
        let counters = radio.stationCounters
        add("wifi_joins", "Phones that came onto the Wi-Fi since its last start.", counters?.authorized ?? 0)
        add(
            "wifi_refused", "Phones refused since the Wi-Fi's last start.",
            (counters?.refusals ?? [:]).sorted { $0.key < $1.key }
                .map { ("cause=\"\($0.key)\"", UInt64(clamping: $0.value)) })
        add("wifi_silent", "Phones let go for their silence since the last start.", counters?.silent ?? 0)
        add("wifi_group_rekeys", "Changes of the group key since the last start.", counters?.groupRekeys ?? 0)
    }

    mutating func add(_ snapshot: HubServer.Snapshot) {
        let hub = snapshot.hub
        add("hub_clients", "Clients of the LAN hub.", hub.clients)
        add("hub_clients_absent", "Clients of the hub that dropped and may come back.", hub.absent)
        add("hub_rooms", "Rooms of the hub with somebody in them.", hub.rooms)
        add("hub_kept_bytes", "Bytes of messages kept until they are acknowledged.", hub.keptBytes)
        add("hub_clients_total", "Clients that got an id of the hub.", hub.counters.opened)
        add("hub_resumed_total", "Clients that got back their former id.", hub.counters.resumed)
        add("hub_frames_received_total", "Frames that came from clients.", hub.counters.framesReceived)
        add("hub_frames_total", "Frames passed from client to client.", hub.counters.framesRouted)
        add("hub_bytes_total", "Bytes of those frames.", hub.counters.bytesRouted)
        add("hub_frames_kept_total", "Of those, frames for clients that had dropped.", hub.counters.framesKept)
        add(
            "hub_dropped_total", "Frames dropped.",
            Hub.DropCause.allCases.map { ("cause=\"\($0.rawValue)\"", hub.counters.drops($0)) })
        add(
            "hub_rooms_refused_total", "Clients that were not let into a room.",
            Hub.Refusal.allCases.map { ("cause=\"\($0.rawValue)\"", hub.counters.refusals($0)) })
        let endpoint = snapshot.endpoint
        add("hub_peers", "Phones connected to the hub's port.", snapshot.peers)
        add("hub_peers_total", "Phones that got connected to the hub's port.", endpoint.connections)
        add("hub_checks_total", "ICE checks answered.", endpoint.checks)
        add("hub_handshakes_total", "DTLS handshakes begun.", endpoint.handshakes)
        add("hub_moves_total", "Times a phone went on from another address.", endpoint.moves)
        add(
            "hub_packets_total", "Datagrams on the hub's port.",
            [
                ("direction=\"in\"", endpoint.datagramsReceived), ("direction=\"out\"", endpoint.datagramsSent),
            ])
        add(
            "hub_packet_bytes_total", "Bytes of those datagrams.",
            [("direction=\"in\"", endpoint.octetsReceived), ("direction=\"out\"", endpoint.octetsSent)])
        add(
            "hub_refused_total", "Datagrams refused or dropped on the hub's port.",
            EndpointRefusal.allCases.map { ("cause=\"\($0.rawValue)\"", endpoint[$0]) } + [
                ("cause=\"oversized\"", snapshot.socket.oversized),
                ("cause=\"unaddressed\"", snapshot.socket.unaddressed),
                ("cause=\"send_buffer_full\"", snapshot.socket.sendBufferFull),
                ("cause=\"send_refused\"", snapshot.socket.sendRefused),
            ])
        add(
            "hub_channels_refused_total", "Messages and channels that break the rules of data channels.",
            DataChannelRefusal.allCases.map { ("cause=\"\($0.rawValue)\"", endpoint.channelRefusals[$0] ?? 0) })
        add(
            "hub_sends_refused_total", "Messages to phones that were not sent.",
            SendRefusal.allCases.map { ("cause=\"\($0.rawValue)\"", endpoint.sendRefusals[$0] ?? 0) })
        add(
            "hub_disconnected_total", "Phones gone from the hub's port.",
            DisconnectReason.allCases.map { ("reason=\"\($0.rawValue)\"", endpoint[$0]) })
    }
}
