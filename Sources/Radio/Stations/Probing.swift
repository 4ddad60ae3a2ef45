import IEEE80211
import SansIO
import Wire

// Probe requests, where the driver leaves them to us (IEEE 802.11-2020, 11.1.4.3.4).

extension Stations {
    mutating func answerProbe(
        _ elements: RawSpan, _ header: ManagementHeader, at now: Timestamp, into output: inout StationsOutput
    ) {
        let description = configuration.description
        guard configuration.answersProbeRequests,
            header.destination == .broadcast || header.destination == description.bss,
            header.bss == .broadcast || header.bss == description.bss,
            let ssid = ElementReader.first(ElementID.ssid, in: elements),
            ssid.byteCount == 0 || ssid.elementsEqual(description.ssid)
        else { return }
        // In 2.4 GHz channels overlap: a request for the next one is heard and not meant.
        if let channel = ElementReader.first(ElementID.dsParameter, in: elements),
            !channel.elementsEqual([description.channel.number])
        {
            return
        }
        let rate = configuration.limits.probeResponsesPerSecond
        var bucket = probeResponses ?? TokenBucket(rate: rate, burst: rate, now: now)
        let mayAnswer = bucket.take(at: now)
        probeResponses = bucket
        guard mayAnswer else { return }
        counters.probeResponses += 1
        // Who asks everyone moves on to the next channel soon: nothing is repeated for it.
        output.actions.append(
            .transmit(
                frame: template.probeResponse(to: header.source), id: nil,
                isBestEffort: header.destination == .broadcast))
    }
}
