"""Settings of the Modbus drivers, by Neuron's names."""

from __future__ import annotations

from rookery.edge.schema import Choice, Field
from rookery.words import Words

ORDERS_32 = {1: "ABCD", 2: "BADC", 3: "DCBA", 4: "CDAB"}
ORDERS_64 = {1: "ABCDEFGH", 2: "BADCFEHG", 3: "HGFEDCBA", 4: "GHEFCDAB"}
REGISTERS_MAX = 125
BITS_MAX = 2000


def _same(text: str) -> Words:
    return Words(text, text)


_HOST = (
    Field(
        name="host",
        type="string",
        title=Words("Host", "主机"),
        about=Words("Name or address of the device", "设备的主机名或 IP 地址"),
        is_required=True,
        low=1,
        high=255,
    ),
    Field(
        name="port",
        type="int",
        title=Words("Port", "端口"),
        about=Words("TCP port of the device", "设备的 TCP 端口"),
        default=502,
        low=1,
        high=65_535,
    ),
)
_BACKUP = (
    Field(
        name="backup_host",
        type="string",
        title=Words("Backup host", "备用主机"),
        about=Words(
            "Where the device is reached when the first host does not answer; left out: nowhere else",
            "主机无法连接时使用的备用地址；留空则不使用",
        ),
        high=255,
    ),
    Field(
        name="backup_port",
        type="int",
        title=Words("Backup port", "备用端口"),
        about=Words("TCP port there", "备用地址的 TCP 端口"),
        default=502,
        low=1,
        high=65_535,
    ),
)
_LINE = (
    Field(
        name="device",
        type="string",
        title=Words("Serial device", "串口设备"),
        about=Words("Such as /dev/ttyUSB0", "例如 /dev/ttyUSB0"),
        is_required=True,
        low=1,
        high=255,
    ),
    Field(
        name="baud",
        type="map",
        title=Words("Baud rate", "波特率"),
        about=Words("As set on the devices", "须与设备一致"),
        default=9600,
        choices=tuple(
            Choice(_same(str(rate)), rate)
            for rate in (1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200)
        ),
    ),
    Field(
        name="parity",
        type="map",
        title=Words("Parity", "校验位"),
        about=Words("As set on the devices", "须与设备一致"),
        default="N",
        choices=(
            Choice(Words("None", "无"), "N"),
            Choice(Words("Even", "偶校验"), "E"),
            Choice(Words("Odd", "奇校验"), "O"),
        ),
    ),
    Field(
        name="data",
        type="map",
        title=Words("Data bits", "数据位"),
        about=Words("8 for Modbus RTU", "Modbus RTU 为 8"),
        default=8,
        choices=(Choice(_same("7"), 7), Choice(_same("8"), 8)),
    ),
    Field(
        name="stop",
        type="map",
        title=Words("Stop bits", "停止位"),
        about=Words("As set on the devices", "须与设备一致"),
        default=1,
        choices=(Choice(_same("1"), 1), Choice(_same("2"), 2)),
    ),
)
_COMMON = (
    Field(
        name="timeout",
        type="int",
        title=Words("Timeout (ms)", "超时（毫秒）"),
        about=Words("How long connecting, and an answer, may take", "建立连接及等待应答的最长时间"),
        default=3000,
        low=50,
        high=65_535,
    ),
    Field(
        name="interval",
        type="int",
        title=Words("Send interval (ms)", "指令发送间隔（毫秒）"),
        about=Words(
            "Pause between one request and the next, for devices that need it",
            "两次请求之间的间隔，供处理较慢的设备使用",
        ),
        default=0,
        high=3000,
    ),
    Field(
        name="max_retries",
        type="int",
        title=Words("Retries", "最大重试次数"),
        about=Words("How often a read without an answer is sent again", "读请求无应答时的重发次数"),
        default=0,
        high=3,
    ),
    Field(
        name="retry_interval",
        type="int",
        title=Words("Retry interval (ms)", "重试间隔（毫秒）"),
        about=Words("Pause before it is sent again", "重发前的等待时间"),
        default=0,
        high=10_000,
    ),
    Field(
        name="endianess",
        type="map",
        title=Words("Byte order, 32 bits", "32 位字节序"),
        about=Words(
            "How the device puts four bytes into two registers; a tag says otherwise with #BB, "
            "#BL, #LB or #LL",
            "设备在两个寄存器中存放四个字节的顺序；点位可用 #BB、#BL、#LB、#LL 单独指定",
        ),
        default=1,
        choices=tuple(Choice(_same(text), number) for number, text in ORDERS_32.items()),
    ),
    Field(
        name="endianess_64",
        type="map",
        title=Words("Byte order, 64 bits", "64 位字节序"),
        about=Words(
            "The same for eight bytes in four registers; a tag says otherwise with #B or #L",
            "设备在四个寄存器中存放八个字节的顺序；点位可用 #B、#L 单独指定",
        ),
        default=1,
        choices=tuple(Choice(_same(text), number) for number, text in ORDERS_64.items()),
    ),
    Field(
        name="address_base",
        type="map",
        title=Words("Address base", "起始地址"),
        about=Words(
            "Whether the first register is 40001 or 40000", "首个寄存器为 40001（1）还是 40000（0）"
        ),
        default=1,
        choices=(Choice(_same("1"), 1), Choice(_same("0"), 0)),
    ),
    Field(
        name="registers_max",
        type="int",
        title=Words("Registers of one read", "单次读取寄存器数"),
        about=Words(
            "Most registers that are read together; some devices take fewer than 125",
            "一次读取的最大寄存器数量，部分设备少于 125",
        ),
        default=REGISTERS_MAX,
        low=1,
        high=REGISTERS_MAX,
    ),
    Field(
        name="gap_max",
        type="int",
        title=Words("Gap of one read", "合并读取间隔"),
        about=Words(
            "So many registers between two tags may be read along, to need one request instead of two",
            "两个点位之间相隔不超过该数量的寄存器时合并为一次读取",
        ),
        default=0,
        high=REGISTERS_MAX,
    ),
    Field(
        name="device_degrade",
        type="map",
        title=Words("Leave silent devices out", "设备降级"),
        about=Words(
            "Whether a station that does not answer is left out for a while, so that others on the "
            "line are read in time",
            "站点无应答时暂停采集一段时间，避免影响同一线路上的其他站点",
        ),
        default=0,
        choices=(Choice(Words("No", "否"), 0), Choice(Words("Yes", "是"), 1)),
    ),
    Field(
        name="degrade_cycle",
        type="int",
        title=Words("After how many cycles", "降级失败阈值"),
        about=Words("Cycles in a row without an answer", "连续无应答的采集周期数"),
        default=2,
        low=1,
        high=65_535,
        shown_if=("device_degrade", (1,)),
    ),
    Field(
        name="degrade_time",
        type="int",
        title=Words("For how long (s)", "降级恢复时间（秒）"),
        about=Words("Then it is asked again", "到时后重新采集"),
        default=600,
        low=1,
        high=65_535,
        shown_if=("device_degrade", (1,)),
    ),
)
TCP_FIELDS = _HOST + _BACKUP + _COMMON
RTU_FIELDS = _LINE + _COMMON
