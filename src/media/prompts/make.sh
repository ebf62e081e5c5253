#!/bin/sh
# Remakes the built-in prompts with espeak-ng and sox (run by hand when a text changes; the WAV files are committed).
# 8 kHz mono 16-bit, silence trimmed, peak at -6 dBFS so that A-law keeps its headroom.
set -eu
cd "$(dirname "$0")"

say() { # name voice speed text
    espeak-ng -b 1 -v "$2" -s "$3" -w "$1.raw.wav" "$4"
    sox -V1 "$1.raw.wav" -r 8000 -c 1 -b 16 "$1.wav" \
        highpass 120 silence 1 0.02 0.5% reverse silence 1 0.02 0.5% reverse norm -6 fade t 0.005 pad 0.03 0.06
    rm "$1.raw.wav"
}

say greeting cmn-latn-pinyin 165 '您好，这里是一二三四五政务服务便民热线。'
say greeting-en en-us 155 'Hello, this is the one two three four five government service hotline.'
say greeting-ja ja 160 'こんにちは。いち に さん よん ご、ぎょうせい サービス ホットライン です。'
say greeting-ko ko 160 '안녕하세요. 일이삼사오 정부 서비스 핫라인입니다.'
say greeting-fr fr-fr 155 'Bonjour, vous êtes au un deux trois quatre cinq, la ligne des services publics.'
say please-wait cmn-latn-pinyin 165 '请稍候，正在为您转接。'
say agent-number cmn-latn-pinyin 165 '工号'
say at-your-service cmn-latn-pinyin 165 '为您服务。'

# On the telephone 1 is read yāo, so that it is not taken for 7 (qī).
n=0
for word in 零 幺 二 三 四 五 六 七 八 九; do
    say "digit-$n" cmn-latn-pinyin 165 "$word"
    n=$((n + 1))
done
