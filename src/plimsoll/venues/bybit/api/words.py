"""The venue's words by kind; a word not listed here is kept as text and counted."""

from typing import Annotated


class Words:
    """The documented words of one kind (Bybit v5 docs, enum page)."""

    __slots__ = ("known", "name")

    def __init__(self, name: str, text: str) -> None:
        """Take the words of ``text``, which are separated by blanks; "" is always known."""
        self.name = name
        self.known = frozenset(("", *text.split()))

    def __repr__(self) -> str:
        return f"Words({self.name})"


Side = Annotated[str, Words("side", "Buy Sell None")]
OrderKind = Annotated[str, Words("order type", "Market Limit UNKNOWN")]
TimeInForce = Annotated[str, Words("time in force", "GTC IOC FOK PostOnly RPI")]
OrderStatus = Annotated[
    str,
    Words(
        "order status",
        "New PartiallyFilled Untriggered Rejected PartiallyFilledCanceled Filled Cancelled "
        "Triggered Deactivated Created PendingCancel Active",
    ),
]
StopKind = Annotated[
    str,
    Words(
        "stop order type",
        "TakeProfit StopLoss TrailingStop Stop PartialTakeProfit PartialStopLoss tpslOrder "
        "OcoOrder MmRateClose BidirectionalTpslOrder UNKNOWN",
    ),
]
ExecutionKind = Annotated[
    str,
    Words(
        "execution type",
        "Trade AdlTrade Funding BustTrade Delivery Settle BlockTrade MovePosition FutureSpread "
        "CorporateAction SessionSettlePnL UNKNOWN",
    ),
]
TriggerPrice = Annotated[str, Words("trigger price", "LastPrice IndexPrice MarkPrice UNKNOWN")]
SmpKind = Annotated[str, Words("smp type", "None CancelMaker CancelTaker CancelBoth")]
CancelKind = Annotated[
    str,
    Words(
        "cancel type",
        "UNKNOWN CancelByUser CancelByReduceOnly CancelByPrepareLiq CancelAllBeforeLiq "
        "CancelByPrepareAdl CancelAllBeforeAdl CancelByAdmin CancelBySettle CancelByTpSlTsClear "
        "CancelBySmp CancelByDCP CancelByRebalance CancelByOCOTpCanceledBySlTriggered "
        "CancelByOCOSlCanceledByTpTriggered",
    ),
]
CreateKind = Annotated[
    str,
    Words(
        "create type",
        "CreateByUser CreateByClosing CreateByStopOrder CreateByTakeProfit "
        "CreateByPartialTakeProfit CreateByStopLoss CreateByPartialStopLoss CreateByTrailingStop "
        "CreateByTrailingProfit CreateByLiq CreateByTakeOver_PassThrough CreateByAdl_PassThrough "
        "CreateByAdminClosing CreateBySettle CreateByBboOrder CreateByTWAP CreateByIceBerg "
        "CreateByChaseOrder CreateByMmRateClose CreateByFGridBot CloseByFGridBot "
        "CreateByMartingaleBot CreateByBlock_PassThrough "
        "CreateByBlockTradeMovePosition_PassThrough "
        "CreateByFutureSpread CreateByArbitrage CreateByTVSignal CreateByDdh",
    ),
]
RejectReason = Annotated[
    str,
    Words(
        "reject reason",
        "EC_NoError EC_Others EC_PostOnlyWillTakeLiquidity EC_NoImmediateQtyToFill "
        "EC_NoEnoughQtyToFill EC_CancelForNoFullFill EC_PerCancelRequest "
        "EC_OrigClOrdIDDoesNotExist EC_DuplicatedClOrdID EC_TooLateToCancel EC_OrderNotExist "
        "EC_BySelfMatch EC_StopBySelfMatch EC_InvalidSmpType EC_QtyCannotBeZero EC_EcInvalidQty "
        "EC_InvalidAmount EC_LimitOrderInvalidPrice EC_InvalidPriceScale "
        "EC_MarketOrderPriceIsNotZero EC_MarketOrderCannotBePostOnly EC_MarketOrderNoSupportTIF "
        "EC_MarketQuoteNoSuppSell EC_ReachMaxTradeNum EC_ReachRiskPriceLimit "
        "EC_ReachMarketPriceLimit EC_CancelByOrderValueZero EC_CancelByMatchValueZero "
        "EC_CancelReplaceOrder EC_InvalidSymbolStatus EC_SecurityStatusFail "
        "EC_InCallAuctionStatus EC_CancelByMMP EC_UnknownMessageType EC_MissingClOrdID "
        "EC_MissingOrigClOrdID EC_ClOrdIDOrigClOrdIDAreTheSame EC_UnknownOrderType EC_UnknownSide "
        "EC_UnknownTimeInForce EC_WronglyRouted EC_BitIndexInvalid EC_InvalidUserType "
        "EC_InvalidMirrorOid EC_InvalidMirrorUid EC_LoadOrderCancel EC_LoadOrderCanMatch "
        "EC_DisorderOrderID EC_InvalidBaseValue",
    ),
]
PositionStatus = Annotated[str, Words("position status", "Normal Liq Adl")]
TpslMode = Annotated[str, Words("tpsl mode", "Full Partial")]
InstrumentStatus = Annotated[str, Words("instrument status", "PreLaunch Trading Delivering Closed")]
ContractKind = Annotated[
    str,
    Words("contract type", "LinearPerpetual LinearFutures InversePerpetual InverseFutures"),
]
AccountKind = Annotated[str, Words("account type", "UNIFIED FUND")]
MarginMode = Annotated[str, Words("margin mode", "ISOLATED_MARGIN REGULAR_MARGIN PORTFOLIO_MARGIN")]
TickDirection = Annotated[
    str, Words("tick direction", "PlusTick ZeroPlusTick MinusTick ZeroMinusTick")
]
TransactionKind = Annotated[
    str,
    Words(
        "transaction type",
        "TRADE SETTLEMENT DELIVERY LIQUIDATION ADL TRANSFER_IN TRANSFER_OUT INTEREST BORROW REPAY "
        "FEE_REFUND BONUS AIRDROP CURRENCY_BUY CURRENCY_SELL",
    ),
]
